SELECT coalesce(d.version, 0), coalesce(d.body, '') FROM session s
LEFT JOIN session_data d ON d.session_id = s.session_id WHERE s.session_id = :session
