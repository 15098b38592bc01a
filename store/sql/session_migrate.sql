-- Never under a lease, only inside the class or along a listed edge; across classes the token is dropped.
UPDATE session SET version = version + 1, touched_ms = :now,
  resume_epoch = resume_epoch + CASE WHEN resume_class = :class OR resume_token IS NULL THEN 0 ELSE 1 END,
  resume_token = CASE WHEN resume_class = :class THEN resume_token ELSE NULL END,
  token_class = CASE WHEN resume_class = :class THEN token_class ELSE NULL END,
  resume_home = CASE WHEN resume_class = :class THEN resume_home ELSE NULL END,
  bound_build = :build, resume_class = :class
WHERE session_id = :session AND state = 'active' AND version = :version
  AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.session_id = session.session_id)
  AND (resume_class = :class OR EXISTS (SELECT 1 FROM resume_edge e
    WHERE e.from_class = session.resume_class AND e.to_class = :class))
RETURNING version
