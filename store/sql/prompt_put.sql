-- Only the holder of the task's fence asks.
INSERT INTO prompt (prompt_id, session_id, task_id, state, session_live, text_ok, opened_ms, expires_ms, fence)
SELECT :prompt, t.session_id, t.task_id, 'open', 1, :text_ok, :now, CAST(:now AS BIGINT) + :expires_in_ms, t.fence
FROM task t WHERE t.task_id = :task AND t.fence = :fence
