INSERT INTO note (session_id, n, kind, body, at_ms)
SELECT s.session_id, coalesce((SELECT max(o.n) FROM note o WHERE o.session_id = :session), 0) + 1, :kind, :body, :now
FROM session s WHERE s.session_id = :session AND s.state = 'active'
RETURNING n
