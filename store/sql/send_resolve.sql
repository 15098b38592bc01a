-- Somebody looked, or decided. What goes out again is marked as a possible repeat.
UPDATE outbox SET state = :state, provider_id = :provider_id,
  repeats = repeats + CASE WHEN :state = 'pending' THEN 1 ELSE 0 END,
  ready_ms = CASE WHEN :state = 'pending' THEN CAST(:now AS BIGINT) ELSE NULL END,
  ended_ms = CASE WHEN :state = 'pending' THEN NULL ELSE CAST(:now AS BIGINT) END
WHERE session_id = :session AND n = :n AND state = 'unknown'
RETURNING state
