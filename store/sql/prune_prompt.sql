DELETE FROM prompt WHERE session_id = :session RETURNING prompt_id
