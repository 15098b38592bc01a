-- The record never refuses the work: an op_id whose answer was pruned before its record was is work once more.
INSERT INTO audit (scope, op_id, op, actor, fence, detail, at_ms)
VALUES (:scope, :op_id, :op, :actor, :fence, :detail, :now)
ON CONFLICT (scope, op_id) DO NOTHING
