-- PostgreSQL's triggers, continued: see 0001.

-- A token passes from one class to another only through the converter that the edge names.
DROP TRIGGER session_token_crossed ON session;
CREATE OR REPLACE FUNCTION session_token_crossed() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.resume_class <> OLD.resume_class AND NEW.resume_token IS NOT NULL
  AND (OLD.resume_token IS NULL OR NOT EXISTS (
    SELECT 1 FROM resume_edge e WHERE e.from_class = OLD.resume_class AND e.to_class = NEW.resume_class
      AND e.converter NOT IN ('drop-token','replay-items')))
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER session_token_crossed BEFORE UPDATE OF resume_class ON session FOR EACH ROW EXECUTE FUNCTION session_token_crossed();

-- Who waits, waits for something.
CREATE FUNCTION task_waits_for_prompt() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.state = 'waiting' AND NOT EXISTS (SELECT 1 FROM prompt p WHERE p.task_id = OLD.task_id AND p.state = 'open')
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER task_waits_for_prompt BEFORE UPDATE OF state ON task FOR EACH ROW EXECUTE FUNCTION task_waits_for_prompt();

-- Only what failed is done again, in its own conversation.
CREATE FUNCTION task_retried() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.retry_of IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM task o JOIN session s ON s.session_id = o.session_id JOIN session n ON n.conv_id = s.conv_id
  WHERE o.task_id = NEW.retry_of AND o.state IN ('failed','dead') AND n.session_id = NEW.session_id)
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER task_retried BEFORE INSERT ON task FOR EACH ROW EXECUTE FUNCTION task_retried();

CREATE FUNCTION note_immutable() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  PERFORM refuse(TG_NAME);
  RETURN NEW;
END $$;
CREATE TRIGGER note_immutable BEFORE UPDATE ON note FOR EACH ROW EXECUTE FUNCTION note_immutable();

-- What may have been sent goes out again only with a mark, and no attempt to send takes an old number.
CREATE FUNCTION outbox_repeat_marked() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF OLD.state = 'unknown' AND NEW.state IN ('pending','sending') AND NEW.repeats <= OLD.repeats
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER outbox_repeat_marked BEFORE UPDATE OF state ON outbox FOR EACH ROW EXECUTE FUNCTION outbox_repeat_marked();

CREATE FUNCTION outbox_monotone() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.send_no < OLD.send_no OR NEW.repeats < OLD.repeats OR (NEW.state = 'sending' AND NEW.send_no = OLD.send_no)
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER outbox_monotone BEFORE UPDATE ON outbox FOR EACH ROW EXECUTE FUNCTION outbox_monotone();

-- Messages of a session leave in the order of its turns.
CREATE FUNCTION outbox_in_order() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.state = 'sending' AND EXISTS (SELECT 1 FROM outbox o WHERE o.session_id = OLD.session_id AND o.n < OLD.n
  AND o.state IN ('pending','sending','unknown'))
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER outbox_in_order BEFORE UPDATE OF state ON outbox FOR EACH ROW EXECUTE FUNCTION outbox_in_order();

CREATE FUNCTION meta_monotone() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.incarnation < OLD.incarnation
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER meta_monotone BEFORE UPDATE ON meta FOR EACH ROW EXECUTE FUNCTION meta_monotone();

CREATE FUNCTION session_data_monotone() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.version <= OLD.version OR NEW.session_id <> OLD.session_id
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER session_data_monotone BEFORE UPDATE ON session_data FOR EACH ROW EXECUTE FUNCTION session_data_monotone();
