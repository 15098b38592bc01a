-- What failed is done once more, as a task of its own at the end of the queue.
INSERT INTO task (task_id, session_id, pos, kind, state, session_live, attempt, failures, max_failures, cancel_asked,
  run_at_ms, input, created_ms, retry_of)
SELECT :again, :session, coalesce((SELECT max(p.pos) FROM task p WHERE p.session_id = :session), 0) + 1, o.kind, 'queued', 1,
  0, 0, o.max_failures, 0, :now, o.input, :now, o.task_id
FROM task o WHERE o.task_id = :task
