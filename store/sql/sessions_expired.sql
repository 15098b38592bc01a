SELECT s.session_id FROM session s
WHERE s.state = 'active' AND s.expires_ms <= :now
  AND NOT EXISTS (SELECT 1 FROM task t WHERE t.session_id = s.session_id AND t.session_live = 1)
  AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.session_id = s.session_id AND o.state IN ('pending','sending','unknown'))
ORDER BY s.expires_ms, s.session_id LIMIT :limit
