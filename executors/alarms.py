"""Alarms of this floor are those of the ground floor: what a person must look at now."""

from audit.alarms import raise_alarm

__all__ = ["raise_alarm"]
