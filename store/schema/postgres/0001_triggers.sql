-- PostgreSQL's triggers: the same laws under the same names as in ../sqlite, and each refusal names its law.

-- What every trigger says when it refuses: its own name, as SQLite's do.
CREATE FUNCTION refuse(law TEXT) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', law USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = law; END $$;

-- What was counted up never goes back, a closed session stays closed, a session stays where it was born.
CREATE FUNCTION session_monotone() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.fence < OLD.fence OR NEW.resume_epoch < OLD.resume_epoch OR NEW.version < OLD.version
  OR (OLD.state = 'closed' AND NEW.state <> 'closed')
  OR NEW.session_id <> OLD.session_id OR NEW.conv_id <> OLD.conv_id OR NEW.gen <> OLD.gen
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER session_monotone BEFORE UPDATE ON session FOR EACH ROW EXECUTE FUNCTION session_monotone();

CREATE FUNCTION session_closed_under_lease() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.live = 0 AND EXISTS (SELECT 1 FROM lease l WHERE l.session_id = OLD.session_id)
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER session_closed_under_lease BEFORE UPDATE OF state, live ON session FOR EACH ROW EXECUTE FUNCTION session_closed_under_lease();

CREATE FUNCTION session_moved_under_lease() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.bound_build <> OLD.bound_build OR NEW.resume_class <> OLD.resume_class)
  AND EXISTS (SELECT 1 FROM lease l WHERE l.session_id = OLD.session_id)
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER session_moved_under_lease BEFORE UPDATE OF bound_build, resume_class ON session FOR EACH ROW EXECUTE FUNCTION session_moved_under_lease();

CREATE FUNCTION session_edge() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.resume_class <> OLD.resume_class AND NOT EXISTS (
  SELECT 1 FROM resume_edge e WHERE e.from_class = OLD.resume_class AND e.to_class = NEW.resume_class)
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER session_edge BEFORE UPDATE OF resume_class ON session FOR EACH ROW EXECUTE FUNCTION session_edge();

-- The only converter is drop-token: no token may pass from one class to another.
CREATE FUNCTION session_token_crossed() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.resume_class <> OLD.resume_class AND NEW.resume_token IS NOT NULL
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER session_token_crossed BEFORE UPDATE OF resume_class ON session FOR EACH ROW EXECUTE FUNCTION session_token_crossed();

CREATE FUNCTION session_token_epoch() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.resume_token IS DISTINCT FROM OLD.resume_token AND NEW.resume_epoch = OLD.resume_epoch
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER session_token_epoch BEFORE UPDATE OF resume_token ON session FOR EACH ROW EXECUTE FUNCTION session_token_epoch();

CREATE FUNCTION lease_fence() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.fence IS DISTINCT FROM (SELECT s.fence FROM session s WHERE s.session_id = NEW.session_id)
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER lease_fence BEFORE INSERT ON lease FOR EACH ROW EXECUTE FUNCTION lease_fence();

CREATE FUNCTION lease_fence_kept() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.fence IS DISTINCT FROM (SELECT s.fence FROM session s WHERE s.session_id = NEW.session_id)
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER lease_fence_kept BEFORE UPDATE OF session_id, fence ON lease FOR EACH ROW EXECUTE FUNCTION lease_fence_kept();

CREATE FUNCTION lease_worker_live() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM worker w JOIN runtime_build b ON b.build_id = w.build_id
                 WHERE w.worker_id = NEW.worker_id AND w.state <> 'gone' AND b.state <> 'retired')
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER lease_worker_live BEFORE INSERT ON lease FOR EACH ROW EXECUTE FUNCTION lease_worker_live();

CREATE FUNCTION lease_worker_kept() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.worker_id <> OLD.worker_id AND NOT EXISTS (
  SELECT 1 FROM worker w JOIN runtime_build b ON b.build_id = w.build_id JOIN session s ON s.session_id = NEW.session_id
  WHERE w.worker_id = NEW.worker_id AND w.state <> 'gone' AND b.state <> 'retired'
    AND w.resume_class = s.resume_class AND (s.resume_home IS NULL OR s.resume_home = w.home))
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER lease_worker_kept BEFORE UPDATE OF worker_id, resume_class ON lease FOR EACH ROW EXECUTE FUNCTION lease_worker_kept();

CREATE FUNCTION lease_runtime() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM session s JOIN worker w ON w.worker_id = NEW.worker_id
                 WHERE s.session_id = NEW.session_id AND w.resume_class = s.resume_class
                   AND (s.resume_home IS NULL OR s.resume_home = w.home))
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER lease_runtime BEFORE INSERT ON lease FOR EACH ROW EXECUTE FUNCTION lease_runtime();

-- A terminal state is terminal: nothing of an ended task changes.
CREATE FUNCTION task_sticky() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF OLD.session_live IS NULL
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER task_sticky BEFORE UPDATE ON task FOR EACH ROW EXECUTE FUNCTION task_sticky();

-- Accepted work ends; it does not vanish.
CREATE FUNCTION task_kept() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF OLD.session_live IS NOT NULL
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER task_kept BEFORE DELETE ON task FOR EACH ROW EXECUTE FUNCTION task_kept();

CREATE FUNCTION task_moved() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.session_id <> OLD.session_id AND (
  OLD.state <> 'queued' OR NEW.state <> 'queued' OR NEW.moved_from IS DISTINCT FROM OLD.session_id
  OR (SELECT s.conv_id FROM session s WHERE s.session_id = NEW.session_id)
     IS DISTINCT FROM (SELECT s.conv_id FROM session s WHERE s.session_id = OLD.session_id))
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER task_moved BEFORE UPDATE OF session_id ON task FOR EACH ROW EXECUTE FUNCTION task_moved();

CREATE FUNCTION task_open_prompt() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.session_live IS NULL AND EXISTS (SELECT 1 FROM prompt p WHERE p.task_id = OLD.task_id AND p.state = 'open')
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER task_open_prompt BEFORE UPDATE OF state ON task FOR EACH ROW EXECUTE FUNCTION task_open_prompt();

CREATE FUNCTION item_fenced() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM lease l JOIN task t ON t.session_id = l.session_id AND t.fence = l.fence
                 WHERE l.session_id = NEW.session_id AND l.fence = NEW.fence AND t.task_id = NEW.task_id)
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER item_fenced BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION item_fenced();

CREATE FUNCTION item_dense() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.seq <> coalesce((SELECT max(i.seq) FROM item i WHERE i.session_id = NEW.session_id), 0) + 1
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER item_dense BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION item_dense();

CREATE FUNCTION item_immutable() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  PERFORM refuse(TG_NAME);
  RETURN NEW;
END $$;
CREATE TRIGGER item_immutable BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION item_immutable();

-- Pruning may drop the history of a closed session, never part of a live one.
CREATE FUNCTION item_kept() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF EXISTS (SELECT 1 FROM session s WHERE s.session_id = OLD.session_id AND s.live = 1)
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER item_kept BEFORE DELETE ON item FOR EACH ROW EXECUTE FUNCTION item_kept();

CREATE FUNCTION prompt_of_session() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM task t WHERE t.task_id = NEW.task_id AND t.session_id = NEW.session_id
                 AND t.session_live = 1)
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER prompt_of_session BEFORE INSERT ON prompt FOR EACH ROW EXECUTE FUNCTION prompt_of_session();

CREATE FUNCTION prompt_sticky() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF OLD.state <> 'open'
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER prompt_sticky BEFORE UPDATE ON prompt FOR EACH ROW EXECUTE FUNCTION prompt_sticky();

CREATE FUNCTION outbox_of_session() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM task t WHERE t.task_id = NEW.task_id AND t.session_id = NEW.session_id)
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER outbox_of_session BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION outbox_of_session();

CREATE FUNCTION outbox_sticky() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF OLD.state IN ('sent','dropped') OR NEW.body <> OLD.body OR NEW.dedup_key <> OLD.dedup_key
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER outbox_sticky BEFORE UPDATE ON outbox FOR EACH ROW EXECUTE FUNCTION outbox_sticky();

CREATE FUNCTION op_result_immutable() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  PERFORM refuse(TG_NAME);
  RETURN NEW;
END $$;
CREATE TRIGGER op_result_immutable BEFORE UPDATE ON op_result FOR EACH ROW EXECUTE FUNCTION op_result_immutable();

-- A redelivery may count itself; what the first delivery was told stays.
CREATE FUNCTION inbox_immutable() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  PERFORM refuse(TG_NAME);
  RETURN NEW;
END $$;
CREATE TRIGGER inbox_immutable BEFORE UPDATE OF tenant, channel, account, ext_id, body_hash, verdict, task_id, answer, first_ms ON inbox FOR EACH ROW EXECUTE FUNCTION inbox_immutable();

CREATE FUNCTION audit_immutable() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  PERFORM refuse(TG_NAME);
  RETURN NEW;
END $$;
CREATE TRIGGER audit_immutable BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION audit_immutable();

CREATE FUNCTION worker_immutable() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.worker_id <> OLD.worker_id OR NEW.build_id <> OLD.build_id OR NEW.resume_class <> OLD.resume_class
  OR NEW.home <> OLD.home OR (OLD.state = 'gone' AND NEW.state <> 'gone')
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER worker_immutable BEFORE UPDATE ON worker FOR EACH ROW EXECUTE FUNCTION worker_immutable();

CREATE FUNCTION runtime_build_immutable() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.build_id <> OLD.build_id OR NEW.runtime <> OLD.runtime OR NEW.resume_class <> OLD.resume_class
  OR (OLD.state = 'retired' AND NEW.state <> 'retired')
  THEN PERFORM refuse(TG_NAME); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER runtime_build_immutable BEFORE UPDATE ON runtime_build FOR EACH ROW EXECUTE FUNCTION runtime_build_immutable();
