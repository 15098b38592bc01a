DELETE FROM op_result WHERE op_id IN (
  SELECT o.op_id FROM op_result o WHERE o.at_ms < :before ORDER BY o.at_ms, o.op_id LIMIT :limit)
