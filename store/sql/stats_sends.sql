SELECT o.state, count(*) FROM outbox o WHERE o.state IN ('pending','sending','unknown') GROUP BY o.state ORDER BY o.state
