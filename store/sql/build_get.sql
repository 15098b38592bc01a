SELECT runtime, resume_class, state FROM runtime_build WHERE build_id = :build
