-- Prompts, sending, notes, retries, idle sessions, converters, pruning. One text for SQLite and PostgreSQL, as 0001.

ALTER TABLE session ADD COLUMN idle_ms BIGINT CONSTRAINT session_idle CHECK (idle_ms >= 1);  -- expires_ms is this long after touched_ms
CREATE INDEX session_closed ON session (touched_ms) WHERE state = 'closed';                  -- what pruning reads

ALTER TABLE conversation ADD COLUMN pruned_gen BIGINT NOT NULL DEFAULT 0;                    -- generations never begin anew

ALTER TABLE task ADD COLUMN retry_of TEXT CONSTRAINT task_retry_of_task REFERENCES task (task_id);
CREATE UNIQUE INDEX task_retry_of ON task (retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX task_dead ON task (ended_ms) WHERE state = 'dead';

CREATE TABLE note (                      -- from outside a turn: beside the history, never inside it
  session_id TEXT   NOT NULL CONSTRAINT note_session REFERENCES session (session_id),
  n          BIGINT NOT NULL CONSTRAINT note_n CHECK (n >= 1),
  kind       TEXT   NOT NULL,
  body       TEXT   NOT NULL,
  at_ms      BIGINT NOT NULL,
  CONSTRAINT note_pkey PRIMARY KEY (session_id, n)
);

-- Any named converter from now on. The engines change a check in different ways; both can copy a table.
CREATE TABLE resume_edge_kept AS SELECT from_class, to_class, converter FROM resume_edge;
DROP TABLE resume_edge;
CREATE TABLE resume_edge (               -- the only permitted class changes, each with a named converter
  from_class TEXT NOT NULL,
  to_class   TEXT NOT NULL,
  converter  TEXT NOT NULL CONSTRAINT resume_edge_converter CHECK (converter <> ''),  -- 'drop-token', 'replay-items', or a name
  CONSTRAINT resume_edge_pkey PRIMARY KEY (from_class, to_class),
  CONSTRAINT resume_edge_distinct CHECK (from_class <> to_class)
);
INSERT INTO resume_edge (from_class, to_class, converter) SELECT from_class, to_class, converter FROM resume_edge_kept;
DROP TABLE resume_edge_kept;

ALTER TABLE prompt ADD COLUMN fence BIGINT NOT NULL DEFAULT 0;    -- of the turn that asked: orders a task's prompts
DROP INDEX prompt_by_task;
CREATE INDEX prompt_by_task ON prompt (task_id, fence);
CREATE INDEX prompt_expiry ON prompt (expires_ms) WHERE state = 'open';

ALTER TABLE outbox ADD COLUMN route TEXT NOT NULL DEFAULT '';     -- which sender it is for
ALTER TABLE outbox ADD COLUMN ready_ms BIGINT                     -- set exactly for the first unsettled message, while it is pending
  CONSTRAINT outbox_ready_is_pending CHECK (ready_ms IS NULL OR state = 'pending');
ALTER TABLE outbox ADD COLUMN repeats BIGINT NOT NULL DEFAULT 0;  -- how often it went out again although it may have been sent
ALTER TABLE outbox ADD COLUMN last_error TEXT;
DROP INDEX outbox_ready;
CREATE INDEX outbox_ready ON outbox (route, ready_ms, session_id) WHERE ready_ms IS NOT NULL;
DROP INDEX outbox_one_sending;
CREATE UNIQUE INDEX outbox_one_ahead ON outbox (session_id) WHERE ready_ms IS NOT NULL OR state = 'sending';
CREATE INDEX outbox_open ON outbox (session_id, n) WHERE state IN ('pending','sending','unknown');
CREATE INDEX outbox_sending ON outbox (until_ms) WHERE state = 'sending';
UPDATE outbox SET ready_ms = created_ms WHERE state = 'pending' AND NOT EXISTS (
  SELECT 1 FROM outbox o WHERE o.session_id = outbox.session_id AND o.n < outbox.n AND o.state IN ('pending','sending','unknown'));

-- One task of a session is at work: running, or waiting for an answer. Also tells at once whether there is one.
DROP INDEX task_one_running;
CREATE UNIQUE INDEX task_one_at_work ON task (session_id) WHERE state IN ('running','waiting');

CREATE INDEX worker_by_class ON worker (resume_class, home) WHERE state = 'live';
