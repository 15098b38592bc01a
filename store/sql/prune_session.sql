DELETE FROM session WHERE session_id = :session AND state = 'closed'
  AND NOT EXISTS (SELECT 1 FROM task t WHERE t.session_id = session.session_id)
  AND NOT EXISTS (SELECT 1 FROM task t WHERE t.moved_from = session.session_id)
RETURNING conv_id, gen
