SELECT s.session_id, s.conv_id, s.gen, s.close_reason, s.version, s.fence, s.bound_build, s.resume_class,
  s.resume_token, s.resume_home, s.resume_epoch, s.head_ready_ms, l.worker_id, l.fence, l.granted_ms, l.until_ms,
  coalesce((SELECT max(i.seq) FROM item i WHERE i.session_id = s.session_id), 0) + 1
FROM session s LEFT JOIN lease l ON l.session_id = s.session_id WHERE s.session_id = :session
