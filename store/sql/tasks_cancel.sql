-- Everything that is open in a session ends with it.
UPDATE task SET state = 'cancelled', outcome = :reason, end_fence = fence, fence = NULL, session_live = NULL, ended_ms = :now
WHERE session_id = :session AND session_live = 1
RETURNING task_id
