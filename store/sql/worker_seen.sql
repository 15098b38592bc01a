-- Seen times only grow, also when the clock stepped back.
UPDATE worker SET seen_ms = CASE WHEN :now > seen_ms THEN :now ELSE seen_ms END
WHERE worker_id = :worker AND state <> 'gone'
