INSERT INTO resume_edge (from_class, to_class, converter) VALUES (:from_class, :to_class, :converter)
ON CONFLICT (from_class, to_class) DO NOTHING
