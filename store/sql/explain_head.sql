SELECT t.task_id, t.run_at_ms, t.last_error FROM task t WHERE t.session_id = :session AND t.state = 'queued' ORDER BY t.pos LIMIT 1
