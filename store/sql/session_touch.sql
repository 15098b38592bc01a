-- A new task is about to be queued in the conversation's active session. It is the head, and so makes the session claimable,
-- only when nothing else of the session is open; otherwise the head stays what it was.
UPDATE session SET touched_ms = :now, expires_ms = :now + idle_ms, head_ready_ms = CASE
  WHEN EXISTS (SELECT 1 FROM task t WHERE t.session_id = session.session_id AND t.session_live = 1) THEN head_ready_ms
  ELSE :now END
WHERE state = 'active' AND conv_id = (SELECT k.conv_id FROM conversation_key k
WHERE k.tenant = :tenant AND k.channel = :channel AND k.account = :account
AND k.chat = :chat AND k.thread = :thread AND k.participant = :participant)
RETURNING session_id
