-- The next generation after :old, on its own build or on :build. Its fences go on where the old ones ended: a task that is
-- moved into it must not get a fence that a stale worker still holds.
INSERT INTO session (session_id, conv_id, gen, state, live, version, fence, bound_build, resume_class, resume_epoch,
  created_ms, touched_ms, idle_ms, expires_ms)
SELECT :session, o.conv_id, o.gen + 1, 'active', 1, 1, o.fence, b.build_id, b.resume_class, 0, :now, :now,
  o.idle_ms, :now + o.idle_ms
FROM session o JOIN runtime_build b ON b.build_id = coalesce(:build, o.bound_build) AND b.state <> 'retired'
WHERE o.session_id = :old
RETURNING gen
