INSERT INTO outbox (session_id, n, task_id, dedup_key, state, send_no, body, created_ms)
SELECT t.session_id, coalesce((SELECT max(o.n) FROM outbox o WHERE o.session_id = t.session_id), 0) + 1,
  t.task_id, :dedup_key, 'pending', 0, :body, :now
FROM task t
WHERE t.task_id = :task AND t.state = 'running' AND t.fence = :fence
