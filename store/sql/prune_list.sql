SELECT s.session_id FROM session s WHERE s.state = 'closed' AND s.touched_ms < :before
  AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.session_id = s.session_id AND o.state IN ('pending','sending','unknown'))
ORDER BY s.touched_ms, s.session_id LIMIT :limit
