-- SQLite's triggers: the transitions that no constraint can refuse. Each raises its own name.
-- They fire whether or not the connection has set PRAGMA foreign_keys.

-- What was counted up never goes back, a closed session stays closed, a session stays where it was born.
CREATE TRIGGER session_monotone BEFORE UPDATE ON session
WHEN NEW.fence < OLD.fence OR NEW.resume_epoch < OLD.resume_epoch OR NEW.version < OLD.version
  OR (OLD.state = 'closed' AND NEW.state <> 'closed')
  OR NEW.session_id <> OLD.session_id OR NEW.conv_id <> OLD.conv_id OR NEW.gen <> OLD.gen
BEGIN SELECT RAISE(ABORT, 'session_monotone'); END;

CREATE TRIGGER session_closed_under_lease BEFORE UPDATE OF state, live ON session
WHEN NEW.live = 0 AND EXISTS (SELECT 1 FROM lease l WHERE l.session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'session_closed_under_lease'); END;

CREATE TRIGGER session_moved_under_lease BEFORE UPDATE OF bound_build, resume_class ON session
WHEN (NEW.bound_build <> OLD.bound_build OR NEW.resume_class <> OLD.resume_class)
  AND EXISTS (SELECT 1 FROM lease l WHERE l.session_id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'session_moved_under_lease'); END;

CREATE TRIGGER session_edge BEFORE UPDATE OF resume_class ON session
WHEN NEW.resume_class <> OLD.resume_class AND NOT EXISTS (
  SELECT 1 FROM resume_edge e WHERE e.from_class = OLD.resume_class AND e.to_class = NEW.resume_class)
BEGIN SELECT RAISE(ABORT, 'session_edge'); END;

-- The only converter is drop-token: no token may pass from one class to another.
CREATE TRIGGER session_token_crossed BEFORE UPDATE OF resume_class ON session
WHEN NEW.resume_class <> OLD.resume_class AND NEW.resume_token IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'session_token_crossed'); END;

CREATE TRIGGER session_token_epoch BEFORE UPDATE OF resume_token ON session
WHEN NEW.resume_token IS NOT OLD.resume_token AND NEW.resume_epoch = OLD.resume_epoch
BEGIN SELECT RAISE(ABORT, 'session_token_epoch'); END;

CREATE TRIGGER lease_fence BEFORE INSERT ON lease
WHEN NEW.fence IS NOT (SELECT s.fence FROM session s WHERE s.session_id = NEW.session_id)
BEGIN SELECT RAISE(ABORT, 'lease_fence'); END;

CREATE TRIGGER lease_fence_kept BEFORE UPDATE OF session_id, fence ON lease
WHEN NEW.fence IS NOT (SELECT s.fence FROM session s WHERE s.session_id = NEW.session_id)
BEGIN SELECT RAISE(ABORT, 'lease_fence_kept'); END;

CREATE TRIGGER lease_worker_live BEFORE INSERT ON lease
WHEN NOT EXISTS (SELECT 1 FROM worker w JOIN runtime_build b ON b.build_id = w.build_id
                 WHERE w.worker_id = NEW.worker_id AND w.state <> 'gone' AND b.state <> 'retired')
BEGIN SELECT RAISE(ABORT, 'lease_worker_live'); END;

CREATE TRIGGER lease_worker_kept BEFORE UPDATE OF worker_id, resume_class ON lease
WHEN NEW.worker_id <> OLD.worker_id AND NOT EXISTS (
  SELECT 1 FROM worker w JOIN runtime_build b ON b.build_id = w.build_id JOIN session s ON s.session_id = NEW.session_id
  WHERE w.worker_id = NEW.worker_id AND w.state <> 'gone' AND b.state <> 'retired'
    AND w.resume_class = s.resume_class AND (s.resume_home IS NULL OR s.resume_home = w.home))
BEGIN SELECT RAISE(ABORT, 'lease_worker_kept'); END;

CREATE TRIGGER lease_runtime BEFORE INSERT ON lease
WHEN NOT EXISTS (SELECT 1 FROM session s JOIN worker w ON w.worker_id = NEW.worker_id
                 WHERE s.session_id = NEW.session_id AND w.resume_class = s.resume_class
                   AND (s.resume_home IS NULL OR s.resume_home = w.home))
BEGIN SELECT RAISE(ABORT, 'lease_runtime'); END;

-- A terminal state is terminal: nothing of an ended task changes.
CREATE TRIGGER task_sticky BEFORE UPDATE ON task
WHEN OLD.session_live IS NULL
BEGIN SELECT RAISE(ABORT, 'task_sticky'); END;

-- Accepted work ends; it does not vanish.
CREATE TRIGGER task_kept BEFORE DELETE ON task
WHEN OLD.session_live IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'task_kept'); END;

CREATE TRIGGER task_moved BEFORE UPDATE OF session_id ON task
WHEN NEW.session_id <> OLD.session_id AND (
  OLD.state <> 'queued' OR NEW.state <> 'queued' OR NEW.moved_from IS NOT OLD.session_id
  OR (SELECT s.conv_id FROM session s WHERE s.session_id = NEW.session_id)
     IS NOT (SELECT s.conv_id FROM session s WHERE s.session_id = OLD.session_id))
BEGIN SELECT RAISE(ABORT, 'task_moved'); END;

CREATE TRIGGER task_open_prompt BEFORE UPDATE OF state ON task
WHEN NEW.session_live IS NULL AND EXISTS (SELECT 1 FROM prompt p WHERE p.task_id = OLD.task_id AND p.state = 'open')
BEGIN SELECT RAISE(ABORT, 'task_open_prompt'); END;

CREATE TRIGGER item_fenced BEFORE INSERT ON item
WHEN NOT EXISTS (SELECT 1 FROM lease l JOIN task t ON t.session_id = l.session_id AND t.fence = l.fence
                 WHERE l.session_id = NEW.session_id AND l.fence = NEW.fence AND t.task_id = NEW.task_id)
BEGIN SELECT RAISE(ABORT, 'item_fenced'); END;

CREATE TRIGGER item_dense BEFORE INSERT ON item
WHEN NEW.seq <> coalesce((SELECT max(i.seq) FROM item i WHERE i.session_id = NEW.session_id), 0) + 1
BEGIN SELECT RAISE(ABORT, 'item_dense'); END;

CREATE TRIGGER item_immutable BEFORE UPDATE ON item
BEGIN SELECT RAISE(ABORT, 'item_immutable'); END;

-- Pruning may drop the history of a closed session, never part of a live one.
CREATE TRIGGER item_kept BEFORE DELETE ON item
WHEN EXISTS (SELECT 1 FROM session s WHERE s.session_id = OLD.session_id AND s.live = 1)
BEGIN SELECT RAISE(ABORT, 'item_kept'); END;

CREATE TRIGGER prompt_of_session BEFORE INSERT ON prompt
WHEN NOT EXISTS (SELECT 1 FROM task t WHERE t.task_id = NEW.task_id AND t.session_id = NEW.session_id
                 AND t.session_live = 1)
BEGIN SELECT RAISE(ABORT, 'prompt_of_session'); END;

CREATE TRIGGER prompt_sticky BEFORE UPDATE ON prompt
WHEN OLD.state <> 'open'
BEGIN SELECT RAISE(ABORT, 'prompt_sticky'); END;

CREATE TRIGGER outbox_of_session BEFORE INSERT ON outbox
WHEN NOT EXISTS (SELECT 1 FROM task t WHERE t.task_id = NEW.task_id AND t.session_id = NEW.session_id)
BEGIN SELECT RAISE(ABORT, 'outbox_of_session'); END;

CREATE TRIGGER outbox_sticky BEFORE UPDATE ON outbox
WHEN OLD.state IN ('sent','dropped') OR NEW.body <> OLD.body OR NEW.dedup_key <> OLD.dedup_key
BEGIN SELECT RAISE(ABORT, 'outbox_sticky'); END;

CREATE TRIGGER op_result_immutable BEFORE UPDATE ON op_result
BEGIN SELECT RAISE(ABORT, 'op_result_immutable'); END;

-- A redelivery may count itself; what the first delivery was told stays.
CREATE TRIGGER inbox_immutable BEFORE UPDATE OF tenant, channel, account, ext_id, body_hash, verdict, task_id, answer, first_ms
ON inbox BEGIN SELECT RAISE(ABORT, 'inbox_immutable'); END;

CREATE TRIGGER audit_immutable BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit_immutable'); END;

CREATE TRIGGER worker_immutable BEFORE UPDATE ON worker
WHEN NEW.worker_id <> OLD.worker_id OR NEW.build_id <> OLD.build_id OR NEW.resume_class <> OLD.resume_class
  OR NEW.home <> OLD.home OR (OLD.state = 'gone' AND NEW.state <> 'gone')
BEGIN SELECT RAISE(ABORT, 'worker_immutable'); END;

CREATE TRIGGER runtime_build_immutable BEFORE UPDATE ON runtime_build
WHEN NEW.build_id <> OLD.build_id OR NEW.runtime <> OLD.runtime OR NEW.resume_class <> OLD.resume_class
  OR (OLD.state = 'retired' AND NEW.state <> 'retired')
BEGIN SELECT RAISE(ABORT, 'runtime_build_immutable'); END;
