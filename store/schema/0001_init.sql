-- One text for SQLite and PostgreSQL. The SQLite loader rewrites BIGINT and SMALLINT to INTEGER and makes each table STRICT.
-- All times are milliseconds of the store's own clock; all ids are made by the caller. No defaults for time, no sequences.
-- Every constraint has a name, so that a refusal can say which law it was.

CREATE TABLE migration (
  version    BIGINT NOT NULL CONSTRAINT migration_pkey PRIMARY KEY,
  checksum   TEXT   NOT NULL,
  applied_ms BIGINT NOT NULL
);

CREATE TABLE meta (                      -- one row about the database itself
  one           SMALLINT NOT NULL CONSTRAINT meta_pkey PRIMARY KEY CONSTRAINT meta_one CHECK (one = 1),
  incarnation   BIGINT   NOT NULL,       -- +1 after a restore from backup, when fences and ids went back
  clock_high_ms BIGINT   NOT NULL        -- the highest time a reaper has seen: a clock far below it was set back
);

CREATE TABLE op_result (                 -- lost-ack safety: a mutation carries op_id and keeps its answer
  op_id    TEXT   NOT NULL CONSTRAINT op_result_pkey PRIMARY KEY,
  op       TEXT   NOT NULL,
  req_hash TEXT   NOT NULL,              -- same op_id + other request = error, never a silent replay
  result   TEXT   NOT NULL,
  at_ms    BIGINT NOT NULL
);
CREATE INDEX op_result_at ON op_result (at_ms);

CREATE TABLE runtime_build (
  build_id     TEXT   NOT NULL CONSTRAINT runtime_build_pkey PRIMARY KEY,
  runtime      TEXT   NOT NULL,
  resume_class TEXT   NOT NULL,          -- runtime + state format: who may resume whose token
  state        TEXT   NOT NULL CONSTRAINT runtime_build_state CHECK (state IN ('ramping','current','draining','retired')),
  created_ms   BIGINT NOT NULL,
  CONSTRAINT runtime_build_class UNIQUE (build_id, resume_class)
);
CREATE UNIQUE INDEX runtime_one_current ON runtime_build (runtime) WHERE state = 'current';

CREATE TABLE resume_edge (               -- the only permitted class changes, each with a named converter
  from_class TEXT NOT NULL,
  to_class   TEXT NOT NULL,
  converter  TEXT NOT NULL CONSTRAINT resume_edge_converter CHECK (converter IN ('drop-token')),
  CONSTRAINT resume_edge_pkey PRIMARY KEY (from_class, to_class),
  CONSTRAINT resume_edge_distinct CHECK (from_class <> to_class)
);

CREATE TABLE worker (
  worker_id    TEXT   NOT NULL CONSTRAINT worker_pkey PRIMARY KEY,  -- one for each process start; never reused
  build_id     TEXT   NOT NULL,
  resume_class TEXT   NOT NULL,
  home         TEXT   NOT NULL,          -- where its native sessions live: a machine, a volume; '' when anywhere
  state        TEXT   NOT NULL CONSTRAINT worker_state CHECK (state IN ('live','draining','gone')),
  started_ms   BIGINT NOT NULL,
  seen_ms      BIGINT NOT NULL,
  CONSTRAINT worker_class UNIQUE (worker_id, resume_class),
  CONSTRAINT worker_build FOREIGN KEY (build_id, resume_class) REFERENCES runtime_build (build_id, resume_class)
);
CREATE INDEX worker_by_build ON worker (build_id, resume_class);

CREATE TABLE conversation (
  conv_id    TEXT   NOT NULL CONSTRAINT conversation_pkey PRIMARY KEY,
  created_ms BIGINT NOT NULL
);

CREATE TABLE conversation_key (          -- a structured key, never a joined string; several keys for one chat after a migration
  tenant      TEXT NOT NULL,
  channel     TEXT NOT NULL,
  account     TEXT NOT NULL,
  chat        TEXT NOT NULL,
  thread      TEXT NOT NULL,
  participant TEXT NOT NULL,
  conv_id     TEXT NOT NULL CONSTRAINT conversation_key_conv REFERENCES conversation (conv_id),
  CONSTRAINT conversation_key_pkey PRIMARY KEY (tenant, channel, account, chat, thread, participant)
);
CREATE INDEX conversation_key_by_conv ON conversation_key (conv_id);

CREATE TABLE session (
  session_id    TEXT     NOT NULL CONSTRAINT session_pkey PRIMARY KEY,
  conv_id       TEXT     NOT NULL CONSTRAINT session_conv REFERENCES conversation (conv_id),
  gen           BIGINT   NOT NULL CONSTRAINT session_gen_positive CHECK (gen >= 1),
  state         TEXT     NOT NULL CONSTRAINT session_state CHECK (state IN ('active','closed')),
  live          SMALLINT NOT NULL CONSTRAINT session_live CHECK (live IN (0,1)),
  close_reason  TEXT,
  version       BIGINT   NOT NULL,       -- +1 at each turn, move or close: what `migrate` compares
  fence         BIGINT   NOT NULL CONSTRAINT session_fence CHECK (fence >= 0),   -- the last fence ever issued here
  bound_build   TEXT     NOT NULL,
  resume_class  TEXT     NOT NULL,
  resume_token  TEXT,                    -- opaque; belongs to token_class and lives at resume_home
  token_class   TEXT,
  resume_home   TEXT,
  resume_epoch  BIGINT   NOT NULL,       -- +1 at each change of the token
  head_ready_ms BIGINT,                  -- when the head of the queue may be claimed; NULL while nothing may
  created_ms    BIGINT   NOT NULL,
  touched_ms    BIGINT   NOT NULL,
  expires_ms    BIGINT,
  CONSTRAINT session_live_is_active CHECK ((state = 'active') = (live = 1)),
  CONSTRAINT session_close_reason CHECK ((state = 'closed') = (close_reason IS NOT NULL)),
  CONSTRAINT session_head_is_live CHECK (head_ready_ms IS NULL OR live = 1),
  CONSTRAINT session_token_has_class CHECK ((resume_token IS NULL) = (token_class IS NULL)),
  CONSTRAINT session_token_has_home CHECK ((resume_token IS NULL) = (resume_home IS NULL)),
  CONSTRAINT session_token_of_class CHECK (token_class IS NULL OR token_class = resume_class),
  CONSTRAINT session_gen UNIQUE (conv_id, gen),
  CONSTRAINT session_key_live UNIQUE (session_id, live),
  CONSTRAINT session_key_class UNIQUE (session_id, resume_class, live),
  CONSTRAINT session_build FOREIGN KEY (bound_build, resume_class) REFERENCES runtime_build (build_id, resume_class)
);
CREATE UNIQUE INDEX session_one_active ON session (conv_id) WHERE state = 'active';
-- A native token lives at a home: two homes may use the same name for two sessions.
CREATE UNIQUE INDEX session_one_token ON session (resume_class, resume_home, resume_token)
  WHERE resume_token IS NOT NULL AND state = 'active';
-- What a claim reads: an idle class or home costs one probe, however long the queues of the others are.
CREATE INDEX session_ready ON session (resume_class, resume_home, head_ready_ms, session_id) WHERE head_ready_ms IS NOT NULL;
CREATE INDEX session_by_build ON session (bound_build, resume_class);
CREATE INDEX session_expiry ON session (expires_ms) WHERE state = 'active' AND expires_ms IS NOT NULL;

CREATE TABLE session_data (              -- the application's state: its own row, so that the hot session row stays small
  session_id TEXT   NOT NULL CONSTRAINT session_data_pkey PRIMARY KEY
                             CONSTRAINT session_data_session REFERENCES session (session_id),
  version    BIGINT NOT NULL,
  body       TEXT   NOT NULL
);

CREATE TABLE lease (                     -- at most one owner of a session, of the session's own resume class, of a live session
  session_id   TEXT     NOT NULL CONSTRAINT lease_pkey PRIMARY KEY,
  resume_class TEXT     NOT NULL,
  live         SMALLINT NOT NULL CONSTRAINT lease_live CHECK (live = 1),
  worker_id    TEXT     NOT NULL,
  fence        BIGINT   NOT NULL CONSTRAINT lease_fence_positive CHECK (fence >= 1),
  granted_ms   BIGINT   NOT NULL,
  until_ms     BIGINT   NOT NULL,
  CONSTRAINT lease_lasts CHECK (until_ms > granted_ms),
  CONSTRAINT lease_key_fence UNIQUE (session_id, fence),
  CONSTRAINT lease_session FOREIGN KEY (session_id, resume_class, live) REFERENCES session (session_id, resume_class, live)
    DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT lease_worker FOREIGN KEY (worker_id, resume_class) REFERENCES worker (worker_id, resume_class)
);
CREATE INDEX lease_until ON lease (until_ms, session_id);
CREATE INDEX lease_by_worker ON lease (worker_id, resume_class);

CREATE TABLE task (
  task_id      TEXT     NOT NULL CONSTRAINT task_pkey PRIMARY KEY,
  session_id   TEXT     NOT NULL CONSTRAINT task_session REFERENCES session (session_id),
  pos          BIGINT   NOT NULL,        -- FIFO inside the session
  kind         TEXT     NOT NULL,
  state        TEXT     NOT NULL CONSTRAINT task_state
                        CHECK (state IN ('queued','running','waiting','done','failed','cancelled','dead')),
  session_live SMALLINT CONSTRAINT task_session_live CHECK (session_live = 1),  -- set exactly while the task is open
  fence        BIGINT,                                                          -- set exactly while it runs
  end_fence    BIGINT,
  attempt      BIGINT   NOT NULL,        -- claims; a task that asks questions may be claimed often
  failures     BIGINT   NOT NULL,        -- failed or expired attempts: these are bounded
  max_failures BIGINT   NOT NULL CONSTRAINT task_max_failures CHECK (max_failures >= 1),
  cancel_asked SMALLINT NOT NULL CONSTRAINT task_cancel_asked CHECK (cancel_asked IN (0,1)),
  run_at_ms    BIGINT   NOT NULL,
  unique_key   TEXT,
  moved_from   TEXT     CONSTRAINT task_moved_from REFERENCES session (session_id),
  input        TEXT     NOT NULL,
  outcome      TEXT,
  last_error   TEXT,
  created_ms   BIGINT   NOT NULL,
  ended_ms     BIGINT,
  CONSTRAINT task_open_is_live CHECK ((state IN ('queued','running','waiting')) = (session_live IS NOT NULL)),
  CONSTRAINT task_running_is_fenced CHECK ((state = 'running') = (fence IS NOT NULL)),
  CONSTRAINT task_ended_has_time CHECK ((state IN ('done','failed','cancelled','dead')) = (ended_ms IS NOT NULL)),
  CONSTRAINT task_failures CHECK (failures BETWEEN 0 AND max_failures),
  CONSTRAINT task_pos UNIQUE (session_id, pos),
  CONSTRAINT task_live_session FOREIGN KEY (session_id, session_live) REFERENCES session (session_id, live)
    DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT task_lease FOREIGN KEY (session_id, fence) REFERENCES lease (session_id, fence)
    DEFERRABLE INITIALLY DEFERRED
);
CREATE UNIQUE INDEX task_one_running ON task (session_id) WHERE state = 'running';
CREATE UNIQUE INDEX task_unique_open ON task (session_id, unique_key)
  WHERE unique_key IS NOT NULL AND state IN ('queued','running','waiting');
CREATE INDEX task_queue ON task (session_id, pos) WHERE state = 'queued';
-- The child side of the foreign keys: without these each lease delete and each close scans the session's tasks.
CREATE INDEX task_by_fence ON task (session_id, fence)        WHERE fence IS NOT NULL;
CREATE INDEX task_by_live  ON task (session_id, session_live) WHERE session_live IS NOT NULL;
CREATE INDEX task_by_moved ON task (moved_from)               WHERE moved_from IS NOT NULL;

-- item, prompt and outbox point at the task alone, not at (task, session): a retried task that is moved to the next
-- generation leaves what its earlier attempts wrote where it was written. Triggers check the session at the insert.
CREATE TABLE item (                      -- append-only history; seq is the optimistic check
  session_id TEXT   NOT NULL CONSTRAINT item_session REFERENCES session (session_id),
  seq        BIGINT NOT NULL CONSTRAINT item_seq CHECK (seq >= 1),
  task_id    TEXT   NOT NULL CONSTRAINT item_task REFERENCES task (task_id),
  fence      BIGINT NOT NULL,
  kind       TEXT   NOT NULL,
  body       TEXT   NOT NULL,
  at_ms      BIGINT NOT NULL,
  CONSTRAINT item_pkey PRIMARY KEY (session_id, seq)
);
CREATE INDEX item_by_task ON item (task_id);

CREATE TABLE inbox (                     -- a webhook's effect and its dedup row are one transaction
  tenant    TEXT   NOT NULL,
  channel   TEXT   NOT NULL,
  account   TEXT   NOT NULL,
  ext_id    TEXT   NOT NULL,             -- update_id, wamid, event id
  body_hash TEXT   NOT NULL,
  verdict   TEXT   NOT NULL CONSTRAINT inbox_verdict CHECK (verdict IN ('task','answer','ignored','refused')),
  task_id   TEXT   CONSTRAINT inbox_task REFERENCES task (task_id),
  answer    TEXT   NOT NULL,             -- what the first delivery was told; repeats get the same
  seen      BIGINT NOT NULL,
  first_ms  BIGINT NOT NULL,
  last_ms   BIGINT NOT NULL,
  CONSTRAINT inbox_pkey PRIMARY KEY (tenant, channel, account, ext_id),
  CONSTRAINT inbox_task_has_verdict CHECK ((verdict = 'task') = (task_id IS NOT NULL))
);
CREATE INDEX inbox_first ON inbox (first_ms);
CREATE INDEX inbox_by_task ON inbox (task_id) WHERE task_id IS NOT NULL;

CREATE TABLE inbox_mark (                -- opt-in, for accounts whose ids are ordered: everything at or below `low` was seen
  tenant      TEXT   NOT NULL,
  channel     TEXT   NOT NULL,
  account     TEXT   NOT NULL,
  low         BIGINT NOT NULL,
  idle_gap_ms BIGINT NOT NULL CONSTRAINT inbox_mark_gap CHECK (idle_gap_ms >= 1),  -- after a longer silence the ids may restart
  last_ms     BIGINT NOT NULL,
  CONSTRAINT inbox_mark_pkey PRIMARY KEY (tenant, channel, account)
);

-- Options come before their prompt: the prompt points at the option that was chosen, and two tables cannot point at each other
-- in one text for both engines.
CREATE TABLE prompt_option (
  prompt_id TEXT   NOT NULL,
  idx       BIGINT NOT NULL CONSTRAINT prompt_option_idx CHECK (idx >= 1),
  token     TEXT   NOT NULL CONSTRAINT prompt_option_token_length CHECK (length(token) BETWEEN 8 AND 64),  -- Telegram: 64 bytes
  label     TEXT   NOT NULL,
  CONSTRAINT prompt_option_pkey PRIMARY KEY (prompt_id, idx),
  CONSTRAINT prompt_option_token UNIQUE (token)
);

CREATE TABLE prompt (                    -- buttons and their text fallback
  prompt_id    TEXT     NOT NULL CONSTRAINT prompt_pkey PRIMARY KEY,
  session_id   TEXT     NOT NULL,
  task_id      TEXT     NOT NULL CONSTRAINT prompt_task REFERENCES task (task_id),
  state        TEXT     NOT NULL CONSTRAINT prompt_state CHECK (state IN ('open','answered','expired','revoked')),
  session_live SMALLINT CONSTRAINT prompt_session_live CHECK (session_live = 1),
  text_ok      SMALLINT NOT NULL CONSTRAINT prompt_text_ok CHECK (text_ok IN (0,1)),
  host_msg     TEXT,
  chosen       BIGINT,
  answer_text  TEXT,
  opened_ms    BIGINT   NOT NULL,
  expires_ms   BIGINT   NOT NULL,
  ended_ms     BIGINT,
  CONSTRAINT prompt_open_is_live CHECK ((state = 'open') = (session_live IS NOT NULL)),
  CONSTRAINT prompt_answered CHECK ((state = 'answered') = (chosen IS NOT NULL OR answer_text IS NOT NULL)),
  CONSTRAINT prompt_text_allowed CHECK (answer_text IS NULL OR text_ok = 1),
  CONSTRAINT prompt_ended_has_time CHECK ((state = 'open') = (ended_ms IS NULL)),
  CONSTRAINT prompt_live_session FOREIGN KEY (session_id, session_live) REFERENCES session (session_id, live)
    DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT prompt_chosen FOREIGN KEY (prompt_id, chosen) REFERENCES prompt_option (prompt_id, idx)
    DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX prompt_by_live ON prompt (session_id, session_live) WHERE session_live IS NOT NULL;
CREATE INDEX prompt_by_task ON prompt (task_id);
CREATE UNIQUE INDEX prompt_one_per_task ON prompt (task_id)    WHERE state = 'open';
CREATE UNIQUE INDEX prompt_one_text     ON prompt (session_id) WHERE state = 'open' AND text_ok = 1;

CREATE TABLE outbox (
  session_id  TEXT   NOT NULL CONSTRAINT outbox_session REFERENCES session (session_id),
  n           BIGINT NOT NULL CONSTRAINT outbox_n CHECK (n >= 1),
  task_id     TEXT   NOT NULL CONSTRAINT outbox_task REFERENCES task (task_id),
  dedup_key   TEXT   NOT NULL,
  state       TEXT   NOT NULL CONSTRAINT outbox_state CHECK (state IN ('pending','sending','unknown','sent','dropped')),
  sender      TEXT,
  send_no     BIGINT NOT NULL,           -- fence of the send attempt
  until_ms    BIGINT,
  provider_id TEXT,
  body        TEXT   NOT NULL,
  created_ms  BIGINT NOT NULL,
  ended_ms    BIGINT,
  CONSTRAINT outbox_pkey PRIMARY KEY (session_id, n),
  CONSTRAINT outbox_dedup UNIQUE (session_id, dedup_key),
  CONSTRAINT outbox_sending_has_sender CHECK ((state = 'sending') = (sender IS NOT NULL)),
  CONSTRAINT outbox_sending_has_limit CHECK ((state = 'sending') = (until_ms IS NOT NULL)),
  CONSTRAINT outbox_ended_has_time CHECK ((state IN ('sent','dropped')) = (ended_ms IS NOT NULL))
);
CREATE UNIQUE INDEX outbox_one_sending ON outbox (session_id) WHERE state = 'sending';
CREATE INDEX outbox_by_task ON outbox (task_id);
CREATE INDEX outbox_ready ON outbox (created_ms) WHERE state IN ('pending','unknown');

CREATE TABLE audit (                     -- who did what; keyed by the operation itself, so no counter is shared between sessions
  scope  TEXT   NOT NULL,                -- a session, or what the operation was about
  op_id  TEXT   NOT NULL,
  op     TEXT   NOT NULL,
  actor  TEXT   NOT NULL,
  fence  BIGINT,
  detail TEXT   NOT NULL,
  at_ms  BIGINT NOT NULL,
  CONSTRAINT audit_pkey PRIMARY KEY (scope, op_id)
);
CREATE INDEX audit_at ON audit (at_ms);
