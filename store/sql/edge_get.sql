SELECT converter FROM resume_edge WHERE from_class = :from_class AND to_class = :to_class
