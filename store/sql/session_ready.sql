-- A queue has moved here: its head makes the session claimable.
UPDATE session SET head_ready_ms = (SELECT q.run_at_ms FROM task q
  WHERE q.session_id = session.session_id AND q.state = 'queued' ORDER BY q.pos LIMIT 1)
WHERE session_id = :session
