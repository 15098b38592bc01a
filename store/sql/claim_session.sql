-- Issue the next fence. What was ready no longer is, until the turn ends.
UPDATE session SET fence = fence + 1, version = version + 1, head_ready_ms = NULL, touched_ms = :now,
  expires_ms = :now + idle_ms
WHERE session_id = :session AND head_ready_ms IS NOT NULL
RETURNING fence, resume_token, resume_epoch,
  coalesce((SELECT max(i.seq) FROM item i WHERE i.session_id = session.session_id), 0) + 1
