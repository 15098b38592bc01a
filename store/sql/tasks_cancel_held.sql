-- Before a move: what runs or waits belongs to the old generation and ends with it.
UPDATE task SET state = 'cancelled', outcome = :reason, end_fence = fence, fence = NULL, session_live = NULL, ended_ms = :now
WHERE session_id = :session AND state IN ('running','waiting')
RETURNING task_id
