INSERT INTO inbox_mark (tenant, channel, account, low, idle_gap_ms, last_ms)
VALUES (:tenant, :channel, :account, :low, :idle_gap_ms, :now)
ON CONFLICT (tenant, channel, account) DO UPDATE SET idle_gap_ms = excluded.idle_gap_ms
