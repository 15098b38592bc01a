INSERT INTO task (task_id, session_id, pos, kind, state, session_live, attempt, failures, max_failures, cancel_asked,
  run_at_ms, input, created_ms)
VALUES (:task, :session, coalesce((SELECT max(p.pos) FROM task p WHERE p.session_id = :session), 0) + 1, :kind, 'queued', 1,
  0, 0, :max_failures, 0, :now, :input, :now)
