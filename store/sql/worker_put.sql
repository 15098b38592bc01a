INSERT INTO worker (worker_id, build_id, resume_class, home, state, started_ms, seen_ms)
SELECT :worker, b.build_id, b.resume_class, :home, 'live', :now, :now
FROM runtime_build b WHERE b.build_id = :build AND b.state <> 'retired'
RETURNING resume_class
