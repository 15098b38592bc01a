-- The first state of a session; nothing when there is one already.
INSERT INTO session_data (session_id, version, body)
SELECT s.session_id, 1, :body FROM session s WHERE s.session_id = :session AND s.state = 'active'
ON CONFLICT (session_id) DO NOTHING
RETURNING version
