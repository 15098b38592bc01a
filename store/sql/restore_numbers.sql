UPDATE outbox SET send_no = CASE WHEN send_no + 1 > :base THEN send_no + 1 ELSE :base END
WHERE state IN ('pending','sending','unknown')
