INSERT INTO conversation_key (tenant, channel, account, chat, thread, participant, conv_id)
VALUES (:tenant, :channel, :account, :chat, :thread, :participant, :conv)
