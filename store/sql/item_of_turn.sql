INSERT INTO item (session_id, seq, task_id, fence, kind, body, at_ms)
SELECT t.session_id, coalesce((SELECT max(i.seq) FROM item i WHERE i.session_id = t.session_id), 0) + 1,
  t.task_id, t.fence, :kind, :body, :now
FROM task t
WHERE t.task_id = :task AND t.fence = :fence
