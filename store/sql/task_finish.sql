UPDATE task SET state = 'done', outcome = :outcome, end_fence = fence, fence = NULL, session_live = NULL, ended_ms = :now
WHERE task_id = :task AND fence = :fence
RETURNING session_id
