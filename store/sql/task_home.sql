-- A task's state, and the active session of its conversation.
SELECT t.state, n.session_id FROM task t JOIN session s ON s.session_id = t.session_id
LEFT JOIN session n ON n.conv_id = s.conv_id AND n.state = 'active'
WHERE t.task_id = :task
