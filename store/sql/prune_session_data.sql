DELETE FROM session_data WHERE session_id = :session
