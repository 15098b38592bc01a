SELECT session_id, fence FROM lease WHERE until_ms <= :now ORDER BY until_ms, session_id LIMIT :limit
