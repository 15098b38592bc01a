SELECT seq, task_id, fence, kind, body, at_ms FROM item WHERE session_id = :session AND seq > :after ORDER BY seq LIMIT :limit
