-- The conversation's active session.
SELECT s.session_id, s.conv_id, s.gen FROM conversation_key k
JOIN session s ON s.conv_id = k.conv_id AND s.state = 'active'
WHERE k.tenant = :tenant AND k.channel = :channel AND k.account = :account
AND k.chat = :chat AND k.thread = :thread AND k.participant = :participant
