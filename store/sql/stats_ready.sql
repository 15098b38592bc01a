SELECT s.resume_class, count(*) FROM session s WHERE s.head_ready_ms <= :now GROUP BY s.resume_class ORDER BY s.resume_class
