INSERT INTO op_result (op_id, op, req_hash, result, at_ms) VALUES (:op_id, :op, :req_hash, :result, :now)
