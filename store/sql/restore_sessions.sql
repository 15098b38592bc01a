-- Every fence, version and epoch that anybody knows from before is stale.
UPDATE session SET
  fence = CASE WHEN fence + 1 > :base THEN fence + 1 ELSE :base END,
  version = CASE WHEN version + 1 > :base THEN version + 1 ELSE :base END,
  resume_epoch = CASE WHEN resume_epoch + 1 > :base THEN resume_epoch + 1 ELSE :base END,
  head_ready_ms = CASE WHEN EXISTS (SELECT 1 FROM task o WHERE o.session_id = session.session_id
      AND o.state IN ('running','waiting')) THEN NULL
    ELSE (SELECT q.run_at_ms FROM task q WHERE q.session_id = session.session_id AND q.state = 'queued'
      ORDER BY q.pos LIMIT 1) END
WHERE state = 'active'
