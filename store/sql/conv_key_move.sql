-- A key may leave a conversation in which nothing goes on.
UPDATE conversation_key SET conv_id = :conv
WHERE tenant = :tenant AND channel = :channel AND account = :account AND chat = :chat AND thread = :thread
  AND participant = :participant
  AND NOT EXISTS (SELECT 1 FROM session s WHERE s.conv_id = conversation_key.conv_id AND s.state = 'active')
