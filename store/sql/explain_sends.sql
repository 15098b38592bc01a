-- The first message of the session that is not settled, and how many are behind it.
SELECT o.n, o.state, (SELECT count(*) FROM outbox b WHERE b.session_id = o.session_id AND b.n > o.n
  AND b.state IN ('pending','sending','unknown'))
FROM outbox o WHERE o.session_id = :session AND o.state IN ('pending','sending','unknown') ORDER BY o.n LIMIT 1
