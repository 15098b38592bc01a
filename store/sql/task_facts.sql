SELECT t.state, s.fence FROM task t JOIN session s ON s.session_id = t.session_id WHERE t.task_id = :task
