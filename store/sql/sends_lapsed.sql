SELECT session_id, n FROM outbox WHERE state = 'sending' AND until_ms <= :now ORDER BY until_ms, session_id, n LIMIT :limit
