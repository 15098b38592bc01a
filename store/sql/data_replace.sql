-- Compare and set, by an integer: times are no versions.
UPDATE session_data SET version = version + 1, body = :body
WHERE session_id = :session AND version = :version
  AND EXISTS (SELECT 1 FROM session s WHERE s.session_id = session_data.session_id AND s.state = 'active')
RETURNING version
