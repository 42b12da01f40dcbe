"""How long ``make run`` takes: in a fresh clone, and again when everything is there."""

import os
import shutil
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from config.processes import ProcessFailedError, finish, spawn
from tests.flows.parts import ROOT

_READY = "Countersign runs. Ready after"
#: Seconds until a start that is not ready yet has failed.
_PATIENCE = 900
_NOT_IN_A_CLONE = shutil.ignore_patterns(".venv", ".git", "var", "artifacts", ".*_cache", ".env")
#: What this shell may hold, and a newcomer's does not.
_WITHHELD = ("COUNTERSIGN_", "STRIPE_", "DJANGO_", "TEST_", "MAKE", "COVERAGE_")
_WITHHELD_NAMES = {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "DEBUG", "PORT", "STARTED_AT"}


@dataclass(frozen=True, kw_only=True)
class Starts:
    """Seconds from the command to the screen that says what to do next."""

    from_nothing: float
    again: float


def measure(directory: Path) -> Starts:
    """Start a copy of this clone that has no environment and no data, and then once more."""
    clone = directory / "clone"
    shutil.copytree(ROOT, clone, ignore=_NOT_IN_A_CLONE)
    return Starts(from_nothing=_start(clone), again=_start(clone))


def _start(clone: Path) -> float:
    """Start it, and stop it with Ctrl-C once it is ready; returns how long the start took."""
    screen = clone.parent / f"screen-{time.monotonic_ns()}"
    command = ["make", "run", f"PORT={_free_port()}"]
    began = time.monotonic()
    process = spawn(command, log=screen, environment=_environment(), directory=clone)
    try:
        while _READY not in screen.read_text():
            if process.poll() is not None or time.monotonic() > began + _PATIENCE:
                said = screen.read_text().strip().rpartition("\n")[2]
                raise ProcessFailedError(f"`make run` did not become ready. It said last: {said}")
            time.sleep(0.02)  # how often we look, not how long we wait
        return time.monotonic() - began
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        finish(process, within=60)


def _environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_WITHHELD) and name not in _WITHHELD_NAMES
    }
    # A newcomer has downloaded nothing before.
    return kept | {"PIP_NO_CACHE_DIR": "1"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
