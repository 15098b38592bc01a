-- What nothing else points at: neither an event that may be delivered again, nor history in an older generation, nor a retry.
DELETE FROM task WHERE session_id = :session
  AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.task_id = task.task_id)
  AND NOT EXISTS (SELECT 1 FROM item i WHERE i.task_id = task.task_id)
  AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.task_id = task.task_id)
  AND NOT EXISTS (SELECT 1 FROM task r WHERE r.retry_of = task.task_id)
