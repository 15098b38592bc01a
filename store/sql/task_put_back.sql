-- The holder gives the task back, for now or for a while; or it ends here because that was asked.
UPDATE task SET
  state = CASE WHEN cancel_asked = 1 THEN 'cancelled' ELSE 'queued' END,
  session_live = CASE WHEN cancel_asked = 1 THEN NULL ELSE 1 END,
  ended_ms = CASE WHEN cancel_asked = 1 THEN CAST(:now AS BIGINT) ELSE NULL END,
  end_fence = fence, fence = NULL, run_at_ms = CAST(:now AS BIGINT) + :delay_ms
WHERE task_id = :task AND fence = :fence
RETURNING session_id, state
