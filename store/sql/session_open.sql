-- The next generation of a conversation, bound to the runtime's current build. :head is NULL when no task comes with it. Its
-- fences begin above all those of earlier incarnations of the database, and its generation above those that were pruned.
INSERT INTO session (session_id, conv_id, gen, state, live, version, fence, bound_build, resume_class, resume_epoch,
  head_ready_ms, created_ms, touched_ms, idle_ms, expires_ms)
SELECT :session, :conv, coalesce((SELECT max(o.gen) FROM session o WHERE o.conv_id = :conv),
    (SELECT c.pruned_gen FROM conversation c WHERE c.conv_id = :conv), 0) + 1,
  'active', 1, 1, (SELECT (m.incarnation - 1) * 1000000 FROM meta m), b.build_id, b.resume_class, 0,
  :head, :now, :now, :idle_ms, CAST(:now AS BIGINT) + :idle_ms
FROM runtime_build b WHERE b.runtime = :runtime AND b.state = 'current'
RETURNING gen
