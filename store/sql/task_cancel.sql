-- A running task is cancelled by its holder (:own is its fence) or by force; anything else that is open, by anybody.
UPDATE task SET state = 'cancelled', outcome = :reason, end_fence = fence, fence = NULL, session_live = NULL, ended_ms = :now
WHERE task_id = :task AND state IN ('queued','running','waiting')
  AND (state <> 'running' OR :force = 1 OR fence = :own)
RETURNING session_id, end_fence IS NOT NULL
