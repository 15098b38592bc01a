SELECT k.conv_id FROM conversation_key k
WHERE k.tenant = :tenant AND k.channel = :channel AND k.account = :account
AND k.chat = :chat AND k.thread = :thread AND k.participant = :participant
