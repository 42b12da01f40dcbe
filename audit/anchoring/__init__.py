"""Copies of checkpoints outside: what a later owner of the database cannot take back."""
