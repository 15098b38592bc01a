SELECT n, kind, body, at_ms FROM note WHERE session_id = :session AND n > :after ORDER BY n LIMIT :limit
