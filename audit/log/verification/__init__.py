"""Verifies the record: rows, leaves, tree, signatures, numbers. Reads, and writes nothing."""
