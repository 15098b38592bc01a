-- What is open, each from an index that holds nothing else.
SELECT (SELECT m.incarnation FROM meta m),
  (SELECT count(*) FROM session s WHERE s.state = 'active'),
  (SELECT count(*) FROM task t WHERE t.state = 'queued'),
  (SELECT count(*) FROM lease l),
  (SELECT count(*) FROM task t WHERE t.state IN ('running','waiting')),
  (SELECT count(*) FROM task t WHERE t.state = 'dead'),
  (SELECT min(s.head_ready_ms) FROM session s WHERE s.head_ready_ms IS NOT NULL),
  (SELECT count(*) FROM lease l WHERE l.until_ms <= :now)
