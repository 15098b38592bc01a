UPDATE conversation SET pruned_gen = :gen WHERE conv_id = :conv AND pruned_gen < :gen
