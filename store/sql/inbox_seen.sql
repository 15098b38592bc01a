-- Was this event delivered before? If so, count the delivery and give back what the first one was told.
UPDATE inbox SET seen = seen + 1, last_ms = :now
WHERE tenant = :tenant AND channel = :channel AND account = :account AND ext_id = :ext_id
RETURNING body_hash, answer
