-- The holder replaces the token, if it is still the one it knows.
UPDATE session SET version = version + 1, resume_epoch = resume_epoch + 1, resume_token = :token, token_class = resume_class,
  resume_home = (SELECT w.home FROM lease l JOIN worker w ON w.worker_id = l.worker_id WHERE l.session_id = session.session_id)
WHERE session_id = :session AND resume_epoch = :epoch
  AND EXISTS (SELECT 1 FROM lease l WHERE l.session_id = :session AND l.fence = :fence)
RETURNING resume_epoch
