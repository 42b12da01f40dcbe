"""The admin of the record, and the bases of every page that only shows."""

from audit.admin import verification

__all__ = ["verification"]
