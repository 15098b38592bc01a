-- Who lets a question expire looks at its time again: the clock may have been set back since it was listed.
UPDATE prompt SET state = :state, session_live = NULL, chosen = :chosen, answer_text = :answer_text, ended_ms = :now
WHERE prompt_id = :prompt AND state = 'open' AND (:state <> 'expired' OR expires_ms <= :now)
RETURNING session_id, task_id
