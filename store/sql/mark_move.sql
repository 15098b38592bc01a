-- An event came in; after a long silence the ids may have begun anew, and nothing is known to be old.
UPDATE inbox_mark SET low = :low, last_ms = :now WHERE tenant = :tenant AND channel = :channel AND account = :account
