UPDATE prompt SET state = 'revoked', session_live = NULL, ended_ms = :now WHERE task_id = :task AND state = 'open'
