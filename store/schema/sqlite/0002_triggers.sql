-- SQLite's triggers, continued: see 0001.

-- A token passes from one class to another only through the converter that the edge names.
DROP TRIGGER session_token_crossed;
CREATE TRIGGER session_token_crossed BEFORE UPDATE OF resume_class ON session
WHEN NEW.resume_class <> OLD.resume_class AND NEW.resume_token IS NOT NULL
  AND (OLD.resume_token IS NULL OR NOT EXISTS (
    SELECT 1 FROM resume_edge e WHERE e.from_class = OLD.resume_class AND e.to_class = NEW.resume_class
      AND e.converter NOT IN ('drop-token','replay-items')))
BEGIN SELECT RAISE(ABORT, 'session_token_crossed'); END;

-- Who waits, waits for something.
CREATE TRIGGER task_waits_for_prompt BEFORE UPDATE OF state ON task
WHEN NEW.state = 'waiting' AND NOT EXISTS (SELECT 1 FROM prompt p WHERE p.task_id = OLD.task_id AND p.state = 'open')
BEGIN SELECT RAISE(ABORT, 'task_waits_for_prompt'); END;

-- Only what failed is done again, in its own conversation.
CREATE TRIGGER task_retried BEFORE INSERT ON task
WHEN NEW.retry_of IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM task o JOIN session s ON s.session_id = o.session_id JOIN session n ON n.conv_id = s.conv_id
  WHERE o.task_id = NEW.retry_of AND o.state IN ('failed','dead') AND n.session_id = NEW.session_id)
BEGIN SELECT RAISE(ABORT, 'task_retried'); END;

CREATE TRIGGER note_immutable BEFORE UPDATE ON note
BEGIN SELECT RAISE(ABORT, 'note_immutable'); END;

-- What may have been sent goes out again only with a mark, and no attempt to send takes an old number.
CREATE TRIGGER outbox_repeat_marked BEFORE UPDATE OF state ON outbox
WHEN OLD.state = 'unknown' AND NEW.state IN ('pending','sending') AND NEW.repeats <= OLD.repeats
BEGIN SELECT RAISE(ABORT, 'outbox_repeat_marked'); END;

CREATE TRIGGER outbox_monotone BEFORE UPDATE ON outbox
WHEN NEW.send_no < OLD.send_no OR NEW.repeats < OLD.repeats OR (NEW.state = 'sending' AND NEW.send_no = OLD.send_no)
BEGIN SELECT RAISE(ABORT, 'outbox_monotone'); END;

-- Messages of a session leave in the order of its turns.
CREATE TRIGGER outbox_in_order BEFORE UPDATE OF state ON outbox
WHEN NEW.state = 'sending' AND EXISTS (SELECT 1 FROM outbox o WHERE o.session_id = OLD.session_id AND o.n < OLD.n
  AND o.state IN ('pending','sending','unknown'))
BEGIN SELECT RAISE(ABORT, 'outbox_in_order'); END;

CREATE TRIGGER meta_monotone BEFORE UPDATE ON meta
WHEN NEW.incarnation < OLD.incarnation
BEGIN SELECT RAISE(ABORT, 'meta_monotone'); END;

CREATE TRIGGER session_data_monotone BEFORE UPDATE ON session_data
WHEN NEW.version <= OLD.version OR NEW.session_id <> OLD.session_id
BEGIN SELECT RAISE(ABORT, 'session_data_monotone'); END;
