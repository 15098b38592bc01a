SELECT session_id, fence FROM lease WHERE worker_id = :worker ORDER BY session_id
