UPDATE task SET state = 'waiting', end_fence = fence, fence = NULL
WHERE task_id = :task AND fence = :fence
RETURNING session_id
