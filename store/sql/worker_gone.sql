UPDATE worker SET state = 'gone' WHERE worker_id = :worker
