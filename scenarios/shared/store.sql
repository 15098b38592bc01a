-- Rules over the reference store's tables that scenarios restate under their own names.

-- name: open_task_reachable
SELECT t.session_id, t.task_id FROM task t JOIN session s ON s.session_id = t.session_id
WHERE t.session_live = 1 AND s.state <> 'active';

-- name: task_moved_or_gone
SELECT key AS task FROM change WHERE tab = 'task' AND old IS NOT NULL
  AND (new IS NULL OR new ->> 'session_id' <> old ->> 'session_id');
