-- The token, but only for a worker of the token's class and home.
SELECT s.resume_token, s.resume_epoch, s.resume_class, s.resume_home, w.resume_class, w.home, s.live,
  coalesce((SELECT max(i.seq) FROM item i WHERE i.session_id = s.session_id), 0) + 1,
  CASE WHEN s.resume_class = w.resume_class AND (s.resume_home IS NULL OR s.resume_home = w.home) THEN 1 ELSE 0 END
FROM session s JOIN worker w ON w.worker_id = :worker WHERE s.session_id = :session
