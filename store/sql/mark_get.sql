SELECT low, idle_gap_ms, last_ms FROM inbox_mark WHERE tenant = :tenant AND channel = :channel AND account = :account
