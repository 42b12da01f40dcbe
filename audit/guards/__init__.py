"""Guard rails of the record in the database: triggers, and what the application's role may do.

They stop accidents. What somebody does on purpose who owns the database is shown by the proofs.
"""
