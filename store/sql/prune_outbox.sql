DELETE FROM outbox WHERE session_id = :session
