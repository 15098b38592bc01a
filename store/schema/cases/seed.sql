-- One conversation with one leased session; t1 runs under fence 1, t2 is queued.
INSERT INTO runtime_build (build_id, runtime, resume_class, state, created_ms) VALUES
  ('claude@1', 'claude', 'claude/1', 'current', 0),
  ('claude@0', 'claude', 'claude/1', 'retired', 0),
  ('codex@1', 'codex', 'codex/1', 'current', 0);
INSERT INTO resume_edge (from_class, to_class, converter) VALUES ('claude/1', 'codex/1', 'drop-token');
INSERT INTO worker (worker_id, build_id, resume_class, home, state, started_ms, seen_ms) VALUES
  ('w-claude', 'claude@1', 'claude/1', 'h1', 'live', 0, 0),
  ('w-away', 'claude@1', 'claude/1', 'h2', 'live', 0, 0),
  ('w-gone', 'claude@1', 'claude/1', 'h1', 'gone', 0, 0),
  ('w-old', 'claude@0', 'claude/1', 'h1', 'live', 0, 0),
  ('w-codex', 'codex@1', 'codex/1', 'h1', 'live', 0, 0);
INSERT INTO conversation (conv_id, created_ms) VALUES ('c1', 0), ('c2', 0);
INSERT INTO session (session_id, conv_id, gen, state, live, version, fence, bound_build, resume_class, resume_epoch,
  created_ms, touched_ms) VALUES
  ('s1', 'c1', 1, 'active', 1, 1, 1, 'claude@1', 'claude/1', 0, 0, 0),
  ('s9', 'c2', 1, 'active', 1, 1, 0, 'claude@1', 'claude/1', 0, 0, 0);
INSERT INTO lease (session_id, resume_class, live, worker_id, fence, granted_ms, until_ms)
  VALUES ('s1', 'claude/1', 1, 'w-claude', 1, 5, 10);
INSERT INTO task (task_id, session_id, pos, kind, state, session_live, fence, attempt, failures, max_failures, cancel_asked,
  run_at_ms, input, created_ms) VALUES
  ('t1', 's1', 1, 'turn', 'running', 1, 1, 1, 0, 3, 0, 0, '{}', 0),
  ('t2', 's1', 2, 'turn', 'queued', 1, NULL, 0, 0, 3, 0, 0, '{}', 0);
INSERT INTO inbox (tenant, channel, account, ext_id, body_hash, verdict, task_id, answer, seen, first_ms, last_ms)
  VALUES ('t', 'tg', 'bot', '7', 'h', 'task', 't1', '{}', 1, 0, 0);
INSERT INTO op_result (op_id, op, req_hash, result, at_ms) VALUES ('op1', 'accept', 'h', '{}', 0);
