UPDATE meta SET incarnation = :incarnation WHERE one = 1 AND incarnation < :incarnation
