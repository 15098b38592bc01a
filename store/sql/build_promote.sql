UPDATE runtime_build SET state = 'current' WHERE build_id = :build
