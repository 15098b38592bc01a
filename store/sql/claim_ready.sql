-- Sessions that a worker may take now, the longest ready first. A session without a token may go to any home of its class; one
-- with a token only to the home where the token lives. Two ranges of one index, so that other classes and homes cost nothing.
SELECT r.session_id FROM (
  SELECT * FROM (
    SELECT s.session_id, s.head_ready_ms FROM worker w
    JOIN runtime_build b ON b.build_id = w.build_id JOIN session s ON s.resume_class = w.resume_class
    WHERE w.worker_id = :worker AND w.state = 'live' AND b.state <> 'retired'
      AND s.resume_home IS NULL AND s.head_ready_ms <= :now
    ORDER BY s.head_ready_ms, s.session_id LIMIT :limit) a
  UNION ALL
  SELECT * FROM (
    SELECT s.session_id, s.head_ready_ms FROM worker w
    JOIN runtime_build b ON b.build_id = w.build_id JOIN session s ON s.resume_class = w.resume_class
    WHERE w.worker_id = :worker AND w.state = 'live' AND b.state <> 'retired'
      AND s.resume_home = w.home AND s.head_ready_ms <= :now
    ORDER BY s.head_ready_ms, s.session_id LIMIT :limit) b
) r ORDER BY r.head_ready_ms, r.session_id LIMIT :limit
