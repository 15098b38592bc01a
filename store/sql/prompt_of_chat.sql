-- The open question of the chat's active session.
SELECT p.prompt_id, p.task_id, p.session_id, p.text_ok, p.expires_ms
FROM conversation_key k JOIN session s ON s.conv_id = k.conv_id
JOIN prompt p ON p.session_id = s.session_id AND p.session_live = 1
WHERE k.tenant = :tenant AND k.channel = :channel AND k.account = :account
AND k.chat = :chat AND k.thread = :thread AND k.participant = :participant
