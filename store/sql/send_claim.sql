UPDATE outbox SET state = 'sending', sender = :sender, send_no = send_no + 1, until_ms = CAST(:now AS BIGINT) + :lease_ms, ready_ms = NULL
WHERE session_id = :session AND ready_ms IS NOT NULL
RETURNING n, send_no, dedup_key, body, repeats, until_ms
