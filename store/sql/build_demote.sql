UPDATE runtime_build SET state = 'draining' WHERE runtime = :runtime AND state = 'current'
