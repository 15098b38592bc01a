UPDATE outbox SET state = 'unknown', sender = NULL, until_ms = NULL, last_error = :error
WHERE session_id = :session AND n = :n AND send_no = :send_no AND state IN ('sending','unknown')
RETURNING state
