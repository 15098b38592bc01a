UPDATE meta SET clock_high_ms = :now WHERE clock_high_ms < :now
