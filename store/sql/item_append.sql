-- Only the holder of :fence appends, and only at the end that it has seen.
INSERT INTO item (session_id, seq, task_id, fence, kind, body, at_ms)
SELECT t.session_id, :seq, t.task_id, t.fence, :kind, :body, :now
FROM task t
WHERE t.session_id = :session AND t.fence = :fence
  AND :seq = coalesce((SELECT max(i.seq) FROM item i WHERE i.session_id = :session), 0) + 1
