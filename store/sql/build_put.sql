INSERT INTO runtime_build (build_id, runtime, resume_class, state, created_ms)
VALUES (:build, :runtime, :class, 'ramping', :now)
ON CONFLICT (build_id) DO NOTHING
