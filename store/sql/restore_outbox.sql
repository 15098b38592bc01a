-- What was still to be sent in the backup may have been sent since.
UPDATE outbox SET state = 'unknown', sender = NULL, until_ms = NULL, ready_ms = NULL, last_error = 'restored from a backup'
WHERE state IN ('pending','sending')
