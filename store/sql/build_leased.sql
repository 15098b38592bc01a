-- Until when workers of this build hold leases.
SELECT max(l.until_ms) FROM worker w JOIN lease l ON l.worker_id = w.worker_id WHERE w.build_id = :build
