-- The question has ended: the task goes on at its old place, which is the head of the queue.
UPDATE task SET state = 'queued', run_at_ms = :now WHERE task_id = :task AND state = 'waiting'
