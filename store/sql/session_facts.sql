-- What a refusal has to name.
SELECT s.close_reason, s.fence, s.version, s.resume_epoch, s.resume_class, l.until_ms,
  coalesce((SELECT max(i.seq) FROM item i WHERE i.session_id = s.session_id), 0) + 1
FROM session s LEFT JOIN lease l ON l.session_id = s.session_id WHERE s.session_id = :session
