-- A new task is about to be queued in this session: see session_touch.
UPDATE session SET touched_ms = :now, expires_ms = :now + idle_ms, head_ready_ms = CASE
  WHEN EXISTS (SELECT 1 FROM task t WHERE t.session_id = session.session_id AND t.session_live = 1) THEN head_ready_ms
  ELSE :now END
WHERE session_id = :session
