-- The next message of the session. It may go out at once when no earlier one is unsettled.
INSERT INTO outbox (session_id, n, task_id, dedup_key, state, send_no, body, created_ms, route, ready_ms)
SELECT t.session_id, coalesce((SELECT max(o.n) FROM outbox o WHERE o.session_id = t.session_id), 0) + 1,
  t.task_id, :dedup_key, 'pending', 0, :body, :now, :route,
  CASE WHEN EXISTS (SELECT 1 FROM outbox o WHERE o.session_id = t.session_id AND o.state IN ('pending','sending','unknown'))
    THEN NULL ELSE CAST(:now AS BIGINT) END
FROM task t
WHERE t.task_id = :task AND t.fence = :fence
