UPDATE prompt SET state = 'revoked', session_live = NULL, ended_ms = :now WHERE session_id = :session AND session_live = 1
