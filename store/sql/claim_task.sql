-- The head of the session's queue, first in, first out.
UPDATE task SET state = 'running', fence = :fence, attempt = attempt + 1
WHERE task_id = (SELECT q.task_id FROM task q WHERE q.session_id = :session AND q.state = 'queued' ORDER BY q.pos LIMIT 1)
RETURNING task_id, kind, input, attempt, failures
