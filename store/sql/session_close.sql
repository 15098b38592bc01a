-- :take is 1 when a worker held the session, who is then fenced.
UPDATE session SET state = 'closed', live = 0, close_reason = :reason, head_ready_ms = NULL, version = version + 1,
  fence = fence + :take,  touched_ms = :now
WHERE session_id = :session AND state = 'active'
RETURNING version
