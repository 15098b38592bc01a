SELECT w.state, b.state FROM worker w JOIN runtime_build b ON b.build_id = w.build_id WHERE w.worker_id = :worker
