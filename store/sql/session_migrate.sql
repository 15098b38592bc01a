-- Never under a lease, only inside the class or along a listed edge. Across classes the token is dropped, or replaced by what
-- the edge's converter made of it: exactly when the edge has one and there is a token.
UPDATE session SET version = version + 1, touched_ms = :now, expires_ms = :now + idle_ms,
  resume_epoch = resume_epoch + CASE WHEN resume_class = :class OR resume_token IS NULL THEN 0 ELSE 1 END,
  resume_token = CASE WHEN resume_class = :class THEN resume_token ELSE :token END,
  token_class = CASE WHEN resume_class = :class THEN token_class ELSE :token_class END,
  resume_home = CASE WHEN resume_class = :class THEN resume_home ELSE :home END,
  bound_build = :build, resume_class = :class
WHERE session_id = :session AND state = 'active' AND version = :version
  AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.session_id = session.session_id)
  AND CASE WHEN resume_class = :class THEN CAST(:token AS TEXT) IS NULL ELSE EXISTS (SELECT 1 FROM resume_edge e
    WHERE e.from_class = session.resume_class AND e.to_class = :class
      AND CASE WHEN e.converter IN ('drop-token','replay-items') OR session.resume_token IS NULL THEN CAST(:token AS TEXT) IS NULL
        ELSE :token IS NOT NULL AND e.converter = :converter END) END
RETURNING version
