-- Looked at again in the statement that closes: a session that was just used, or is at work, survives.
UPDATE session SET state = 'closed', live = 0, close_reason = 'expired', version = version + 1, touched_ms = :now
WHERE session_id = :session AND state = 'active' AND expires_ms <= :now
  AND NOT EXISTS (SELECT 1 FROM task t WHERE t.session_id = session.session_id AND t.session_live = 1)
  AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.session_id = session.session_id
    AND o.state IN ('pending','sending','unknown'))
RETURNING session_id
