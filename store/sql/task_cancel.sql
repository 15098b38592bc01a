-- The holder (:own is its fence) cancels only what it still holds. Anybody else cancels what does not run, or by force.
UPDATE task SET state = 'cancelled', outcome = :reason, end_fence = fence, fence = NULL, session_live = NULL, ended_ms = :now
WHERE task_id = :task AND state IN ('queued','running','waiting')
  AND CASE WHEN CAST(:own AS BIGINT) IS NULL THEN state <> 'running' OR :force = 1 ELSE fence = :own END
RETURNING session_id, end_fence IS NOT NULL
