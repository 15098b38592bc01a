DELETE FROM audit WHERE (scope, op_id) IN (
  SELECT a.scope, a.op_id FROM audit a WHERE a.at_ms < :before ORDER BY a.at_ms, a.scope, a.op_id LIMIT :limit)
