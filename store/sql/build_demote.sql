UPDATE runtime_build SET state = 'draining' WHERE runtime = :runtime AND state = 'current' AND build_id <> :build
