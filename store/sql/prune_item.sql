DELETE FROM item WHERE session_id = :session
