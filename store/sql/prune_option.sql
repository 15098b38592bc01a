DELETE FROM prompt_option WHERE prompt_id = :prompt
