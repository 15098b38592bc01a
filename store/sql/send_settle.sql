-- The last sender reports, in time or after the outcome already counted as unknown.
UPDATE outbox SET state = :state, sender = NULL, until_ms = NULL, provider_id = :provider_id,
  last_error = coalesce(:error, last_error), ended_ms = :now
WHERE session_id = :session AND n = :n AND send_no = :send_no AND state IN ('sending','unknown')
RETURNING state
