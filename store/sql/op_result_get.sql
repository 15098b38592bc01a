-- What an earlier call under this op_id was answered.
SELECT op, req_hash, result FROM op_result WHERE op_id = :op_id
