-- Certainly not sent by this attempt: it goes out again after a rest. If the outcome counted as unknown, that stays marked.
UPDATE outbox SET state = 'pending', sender = NULL, until_ms = NULL, ready_ms = CAST(:now AS BIGINT) + :delay_ms, last_error = :error,
  repeats = repeats + CASE WHEN state = 'unknown' THEN 1 ELSE 0 END
WHERE session_id = :session AND n = :n AND send_no = :send_no AND state IN ('sending','unknown')
RETURNING state
