UPDATE worker SET state = 'draining' WHERE worker_id = :worker AND state <> 'gone'
