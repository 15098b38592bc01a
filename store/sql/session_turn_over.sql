-- The turn is over: the next queued task becomes claimable in the same commit, so no drain step can be lost. A new token
-- belongs to the session's class and to the home of the worker that brought it. :take is 1 when the turn was taken from its
-- holder, who is then fenced.
UPDATE session SET version = version + 1, fence = fence + :take, touched_ms = :now, expires_ms = :now + idle_ms,
  resume_epoch = resume_epoch + CASE WHEN CAST(:token AS TEXT) IS NULL OR :token = resume_token THEN 0 ELSE 1 END,
  token_class = CASE WHEN CAST(:token AS TEXT) IS NULL THEN token_class ELSE resume_class END,
  resume_home = CASE WHEN CAST(:token AS TEXT) IS NULL THEN resume_home ELSE (
    SELECT w.home FROM lease l JOIN worker w ON w.worker_id = l.worker_id WHERE l.session_id = session.session_id) END,
  resume_token = coalesce(:token, resume_token),
  head_ready_ms = CASE WHEN EXISTS (SELECT 1 FROM task o WHERE o.session_id = session.session_id
      AND o.state IN ('running','waiting')) THEN NULL
    ELSE (SELECT q.run_at_ms FROM task q WHERE q.session_id = session.session_id AND q.state = 'queued'
      ORDER BY q.pos LIMIT 1) END
WHERE session_id = :session
