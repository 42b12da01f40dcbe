"""Evidence files: what the record says about a subject, with its proof, to be checked anywhere."""
