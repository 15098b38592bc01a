UPDATE session_data SET version = CASE WHEN version + 1 > :base THEN version + 1 ELSE :base END
