-- A renewal never shortens: after the clock stepped back the lease keeps the end it had. An expired lease that nobody took may
-- still be renewed by its holder.
UPDATE lease SET until_ms = CASE WHEN CAST(:now AS BIGINT) + :lease_ms > until_ms THEN CAST(:now AS BIGINT) + :lease_ms ELSE until_ms END
WHERE session_id = :session AND fence = :fence
RETURNING until_ms, coalesce((SELECT t.cancel_asked FROM task t
  WHERE t.session_id = lease.session_id AND t.fence = lease.fence), 0)
