UPDATE runtime_build SET state = 'retired' WHERE build_id = :build
