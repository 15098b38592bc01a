INSERT INTO prompt_option (prompt_id, idx, token, label) VALUES (:prompt, :idx, :token, :label)
