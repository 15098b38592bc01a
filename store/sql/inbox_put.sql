INSERT INTO inbox (tenant, channel, account, ext_id, body_hash, verdict, task_id, answer, seen, first_ms, last_ms)
VALUES (:tenant, :channel, :account, :ext_id, :body_hash, :verdict, :task, :answer, 1, :now, :now)
