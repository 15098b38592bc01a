UPDATE meta SET incarnation = :incarnation WHERE incarnation < :incarnation
