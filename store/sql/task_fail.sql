-- A failed attempt is queued again until its failures are used up; then it is dead, for a human to look at. Without a retry
-- it has failed for good.
UPDATE task SET
  state = CASE WHEN :retry = 0 THEN 'failed' WHEN cancel_asked = 1 THEN 'cancelled' WHEN failures + 1 >= max_failures THEN 'dead' ELSE 'queued' END,
  session_live = CASE WHEN :retry = 0 OR cancel_asked = 1 OR failures + 1 >= max_failures THEN NULL ELSE 1 END,
  ended_ms = CASE WHEN :retry = 0 OR cancel_asked = 1 OR failures + 1 >= max_failures THEN CAST(:now AS BIGINT) ELSE NULL END,
  failures = failures + 1, end_fence = fence, fence = NULL, last_error = :error, run_at_ms = CAST(:now AS BIGINT) + :delay_ms
WHERE task_id = :task AND fence = :fence
RETURNING session_id, state
