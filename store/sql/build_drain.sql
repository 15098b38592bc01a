UPDATE runtime_build SET state = 'draining' WHERE build_id = :build
