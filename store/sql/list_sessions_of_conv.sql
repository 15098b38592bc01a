SELECT s.session_id, s.conv_id, s.gen, s.live, s.resume_class, s.touched_ms,
  (SELECT count(*) FROM task t WHERE t.session_id = s.session_id AND t.session_live = 1)
FROM session s
WHERE s.conv_id = :conv AND s.session_id > :after AND (CAST(:live AS BIGINT) IS NULL OR s.live = :live)
  AND (CAST(:class AS TEXT) IS NULL OR s.resume_class = :class)
ORDER BY s.session_id LIMIT :limit
