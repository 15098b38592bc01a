DELETE FROM lease WHERE session_id = :session
