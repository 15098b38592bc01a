SELECT t.task_id, t.pos, t.kind, t.state, t.attempt, t.failures, t.fence, t.outcome, t.last_error, t.run_at_ms
FROM task t WHERE t.session_id = :session ORDER BY t.pos LIMIT :limit
