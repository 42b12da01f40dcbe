"""Counts what was done to the processes of a run, so that its last lines can say it.

How long a recovery took is told, too, and never a reason to fail: that depends on what else the
machine does. `make bench` holds it to its bound.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

#: Names the directory in which each process of pytest leaves what it counted.
VARIABLE: Final = "TEST_SURVIVED"
DEATHS, FREEZES, RACES, SCHEDULES = "deaths", "freezes", "races", "random schedules"

counted: Counter[str] = Counter()
#: Seconds from a kill to the receipt, and how many the lease and the sweep interval allow.
recoveries: list[tuple[float, float]] = []


def save() -> None:
    """Leave what this process counted, where a whole run asks for it."""
    directory = os.environ.get(VARIABLE)
    if directory and (counted or recoveries):
        told = json.dumps({"counted": counted, "recoveries": recoveries})
        Path(directory, f"{os.getpid()}.json").write_text(told)


def total(directory: Path) -> str:
    """Add up what the processes left: "12 deaths, 3 freezes, 40 races, 5 random schedules"."""
    found: Counter[str] = Counter()
    for told in _told(directory):
        found.update(told["counted"])
    return ", ".join(f"{found[name]:,} {name}" for name in (DEATHS, FREEZES, RACES, SCHEDULES))


def slowest(directory: Path) -> str:
    """Say how long the slowest recovery took: "13.4 s after a kill (lease and sweep: 13 s)"."""
    every = [tuple(pair) for told in _told(directory) for pair in told["recoveries"]]
    if not every:
        return "none was measured"
    took, allowed = max(every)
    return f"{took:.1f} s after a kill (lease and sweep: {allowed:g} s)"


def _told(directory: Path) -> Iterator[dict[str, Any]]:
    for file in directory.glob("*.json"):
        yield json.loads(file.read_text())
