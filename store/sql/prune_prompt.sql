-- By task: a task that was moved takes its questions along.
DELETE FROM prompt WHERE task_id IN (SELECT t.task_id FROM task t WHERE t.session_id = :session) RETURNING prompt_id
