SELECT prompt_id FROM prompt WHERE state = 'open' AND expires_ms <= :now ORDER BY expires_ms, prompt_id LIMIT :limit
