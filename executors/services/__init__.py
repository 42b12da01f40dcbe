"""The verbs of this floor: the only code that writes executions and holds.

Each is keyword-only: it takes its locks, reads the clock once, checks, and writes the change and
its history in one transaction. None keeps a transaction open while the provider is asked.
"""

from executors.services.asking import read_again
from executors.services.claiming import claim
from executors.services.due import ring_for_readings
from executors.services.following import follow
from executors.services.holding import lift_holds, set_hold
from executors.services.noting import note_event
from executors.services.queueing import enqueue
from executors.services.reconciling import reconcile
from executors.services.running import run
from executors.services.scanning import scan
from executors.services.steering import hold, release, resolve, revoke
from executors.services.sweeping import sweep

__all__ = [
    "claim",
    "enqueue",
    "follow",
    "hold",
    "lift_holds",
    "note_event",
    "read_again",
    "reconcile",
    "release",
    "resolve",
    "revoke",
    "ring_for_readings",
    "run",
    "scan",
    "set_hold",
    "sweep",
]
