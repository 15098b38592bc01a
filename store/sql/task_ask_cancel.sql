UPDATE task SET cancel_asked = 1 WHERE task_id = :task AND state = 'running' RETURNING session_id
