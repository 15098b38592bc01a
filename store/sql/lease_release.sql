DELETE FROM lease WHERE session_id = :session AND fence = :fence
