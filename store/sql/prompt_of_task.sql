-- The last question of a task. Each turn asks at most one, and fences grow.
SELECT p.prompt_id, p.task_id, p.state, c.idx, c.label, p.answer_text, p.expires_ms
FROM prompt p LEFT JOIN prompt_option c ON c.prompt_id = p.prompt_id AND c.idx = p.chosen
WHERE p.task_id = :task ORDER BY p.fence DESC LIMIT 1
