"""The admin of the record, and the bases of every page that only shows."""

from audit.admin import erasures, verification

__all__ = ["erasures", "verification"]
