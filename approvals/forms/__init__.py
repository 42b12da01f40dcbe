"""What people type, read into values; the services judge it."""
