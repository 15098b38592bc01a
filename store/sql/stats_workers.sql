SELECT w.resume_class, count(*) FROM worker w WHERE w.state = 'live' GROUP BY w.resume_class ORDER BY w.resume_class
