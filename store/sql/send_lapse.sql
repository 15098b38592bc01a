-- The sender said nothing in time. Looked at again here: it may have reported since the message was listed.
UPDATE outbox SET state = 'unknown', sender = NULL, until_ms = NULL, last_error = 'no report in time'
WHERE session_id = :session AND n = :n AND until_ms <= :now
RETURNING send_no
