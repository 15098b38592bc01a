-- The question that a button belongs to, if it was asked in this chat; the button itself; and how the question ended.
SELECT p.prompt_id, p.task_id, p.state, c.idx, c.label, p.answer_text, p.expires_ms, o.idx, o.label
FROM prompt_option o JOIN prompt p ON p.prompt_id = o.prompt_id
LEFT JOIN prompt_option c ON c.prompt_id = p.prompt_id AND c.idx = p.chosen
JOIN session s ON s.session_id = p.session_id
JOIN conversation_key k ON k.conv_id = s.conv_id AND k.tenant = :tenant AND k.channel = :channel AND k.account = :account
  AND k.chat = :chat AND k.thread = :thread AND k.participant = :participant
WHERE o.token = :token
