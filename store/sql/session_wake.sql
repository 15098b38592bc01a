UPDATE session SET version = version + 1, head_ready_ms = :now, touched_ms = :now, expires_ms = :now + idle_ms
WHERE session_id = :session
