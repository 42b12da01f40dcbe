"""The sealed log: a Merkle tree (RFC 6962) over the record, its tiles, and signed checkpoints."""
