SELECT state, send_no FROM outbox WHERE session_id = :session AND n = :n
