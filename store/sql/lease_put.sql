INSERT INTO lease (session_id, resume_class, live, worker_id, fence, granted_ms, until_ms)
SELECT s.session_id, s.resume_class, 1, :worker, :fence, :now, CAST(:now AS BIGINT) + :lease_ms FROM session s WHERE s.session_id = :session
RETURNING until_ms
