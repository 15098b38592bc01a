-- What is still queued goes on in the next generation, in the same order.
UPDATE task SET session_id = :session, moved_from = :old
WHERE session_id = :old AND state = 'queued'
RETURNING task_id
