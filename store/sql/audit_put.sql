INSERT INTO audit (scope, op_id, op, actor, fence, detail, at_ms)
VALUES (:scope, :op_id, :op, :actor, :fence, :detail, :now)
