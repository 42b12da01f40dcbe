"""Counts what was done to the processes of a run, so that its last lines can say it."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Final

#: Names the directory in which each process of pytest leaves what it counted.
VARIABLE: Final = "TEST_SURVIVED"
DEATHS, FREEZES, RACES, SCHEDULES = "deaths", "freezes", "races", "random schedules"

counted: Counter[str] = Counter()


def save() -> None:
    """Leave what this process counted, where a whole run asks for it."""
    directory = os.environ.get(VARIABLE)
    if directory and counted:
        Path(directory, f"{os.getpid()}.json").write_text(json.dumps(counted))


def total(directory: Path) -> str:
    """Add up what the processes left: "12 deaths, 3 freezes, 40 races, 5 random schedules"."""
    found: Counter[str] = Counter()
    for file in directory.glob("*.json"):
        found.update(json.loads(file.read_text()))
    return ", ".join(f"{found[name]:,} {name}" for name in (DEATHS, FREEZES, RACES, SCHEDULES))
