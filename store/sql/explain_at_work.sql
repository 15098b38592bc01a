-- The one task of the session that runs or waits, and for whom.
SELECT t.task_id, l.worker_id, l.until_ms, p.prompt_id, p.expires_ms FROM task t
LEFT JOIN lease l ON l.session_id = t.session_id
LEFT JOIN prompt p ON p.task_id = t.task_id AND p.state = 'open'
WHERE t.session_id = :session AND t.state IN ('running','waiting')
