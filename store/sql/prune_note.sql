DELETE FROM note WHERE session_id = :session
