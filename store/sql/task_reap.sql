-- The running task of an expired lease, or of a worker that is gone: queued again, or buried when its failures are used up, or
-- cancelled as was asked. The expiry is looked at again here: the holder may have renewed since the lease was listed.
UPDATE task SET
  state = CASE WHEN cancel_asked = 1 THEN 'cancelled' WHEN failures + 1 >= max_failures THEN 'dead' ELSE 'queued' END,
  session_live = CASE WHEN cancel_asked = 1 OR failures + 1 >= max_failures THEN NULL ELSE 1 END,
  ended_ms = CASE WHEN cancel_asked = 1 OR failures + 1 >= max_failures THEN :now ELSE NULL END,
  failures = failures + 1, end_fence = fence, fence = NULL, last_error = :error
WHERE session_id = :session AND fence = :fence
  AND (:gone = 1 OR EXISTS (SELECT 1 FROM lease l WHERE l.session_id = :session AND l.until_ms <= :now))
RETURNING task_id, state
