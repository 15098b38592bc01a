-- The native session is known to be lost. Only who knows the current epoch may say so.
UPDATE session SET version = version + 1, resume_epoch = resume_epoch + 1, resume_token = NULL, token_class = NULL,
  resume_home = NULL
WHERE session_id = :session AND state = 'active' AND resume_epoch = :epoch AND resume_token IS NOT NULL
RETURNING resume_epoch
