-- Events whose work has ended. A redelivery after this is new work, unless the account's ids are ordered.
DELETE FROM inbox WHERE (tenant, channel, account, ext_id) IN (
  SELECT i.tenant, i.channel, i.account, i.ext_id FROM inbox i
  WHERE i.first_ms < :before AND NOT EXISTS (SELECT 1 FROM task t WHERE t.task_id = i.task_id AND t.session_live = 1)
  ORDER BY i.first_ms, i.tenant, i.channel, i.account, i.ext_id LIMIT :limit)
RETURNING tenant, channel, account, ext_id
