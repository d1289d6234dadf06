"""What people would use instead: one process each, answering jobs; see ``server``."""
