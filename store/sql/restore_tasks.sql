-- Nobody that held a lease before the restore holds one after it. That is nobody's failure.
UPDATE task SET state = 'queued', end_fence = fence, fence = NULL WHERE state = 'running' RETURNING task_id
