UPDATE prompt SET state = :state, session_live = NULL, chosen = :chosen, answer_text = :answer_text, ended_ms = :now
WHERE prompt_id = :prompt AND state = 'open'
RETURNING session_id, task_id
