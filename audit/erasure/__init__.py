"""Personal data: which columns may hold it, and how it is erased while the proofs stay valid."""
