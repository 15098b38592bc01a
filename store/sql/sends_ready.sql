-- Only first messages are ready, so a session that is stuck costs nothing here.
SELECT o.session_id FROM outbox o WHERE o.route = :route AND o.ready_ms <= :now
ORDER BY o.ready_ms, o.session_id LIMIT :limit
