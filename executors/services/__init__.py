"""The verbs of this floor: the only code that writes executions and holds.

Each is keyword-only: it takes its locks, reads the clock once, checks, and writes the change and
its history in one transaction. None keeps a transaction open while the provider is asked.
"""

from executors.services.asking import read_again
from executors.services.claiming import claim
from executors.services.dealing import deal_with, deal_with_finding
from executors.services.due import find_due_readings, is_due_reading, ring_for_readings
from executors.services.following import follow
from executors.services.holding import lift_holds, set_hold
from executors.services.noting import note_event
from executors.services.queueing import enqueue
from executors.services.reconciling import reconcile
from executors.services.running import run
from executors.services.scanning import is_scan_late, scan
from executors.services.steering import hold, release, resolve, revoke
from executors.services.sweeping import find_due, refuse_expired, sweep, try_repaired

__all__ = [
    "claim",
    "deal_with",
    "deal_with_finding",
    "enqueue",
    "find_due",
    "find_due_readings",
    "follow",
    "hold",
    "is_due_reading",
    "is_scan_late",
    "lift_holds",
    "note_event",
    "read_again",
    "reconcile",
    "refuse_expired",
    "release",
    "resolve",
    "revoke",
    "ring_for_readings",
    "run",
    "scan",
    "set_hold",
    "sweep",
    "try_repaired",
]
