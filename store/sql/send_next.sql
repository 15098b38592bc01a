-- A message was settled: the next one of the session may go out.
UPDATE outbox SET ready_ms = :now
WHERE session_id = :session AND state = 'pending' AND n = (SELECT o.n FROM outbox o
  WHERE o.session_id = :session AND o.state IN ('pending','sending','unknown') ORDER BY o.n LIMIT 1)
