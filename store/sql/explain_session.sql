SELECT s.close_reason, s.resume_class, s.resume_home, s.bound_build, b.state,
  EXISTS (SELECT 1 FROM worker w JOIN runtime_build wb ON wb.build_id = w.build_id AND wb.state <> 'retired'
    WHERE w.resume_class = s.resume_class AND w.state = 'live' AND (s.resume_home IS NULL OR w.home = s.resume_home)),
  (SELECT count(*) FROM task q WHERE q.session_id = s.session_id AND q.state = 'queued')
FROM session s JOIN runtime_build b ON b.build_id = s.bound_build WHERE s.session_id = :session
