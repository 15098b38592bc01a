INSERT INTO conversation (conv_id, created_ms) VALUES (:conv, :now)
