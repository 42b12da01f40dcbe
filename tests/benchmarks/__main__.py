"""``make bench``: the table of benchmarks, each row a ratio taken in one run on one machine.

PostgreSQL runs as in production: what is committed survives a power cut.
"""

import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

import psycopg

from config.processes import ProcessFailedError
from tests.benchmarks import (
    approving,
    beside,
    evidencing,
    reading,
    record,
    starting,
    submitting,
    surviving,
)
from tests.benchmarks.load import percentile
from tests.benchmarks.place import new_database
from tests.benchmarks.submitting import Rates
from tests.support.postgres import running_postgres

_DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "track_commit_timestamp": "on",
}
_FIRST_BYTE = "approval's commit to first byte at the provider"
#: Seconds that a decision may wait for a broker that does not answer.
_PUBLISHING = 4
_EXCEEDED = "EXCEEDED"
#: How much of the submissions must be left while the sealer is at work.
_BESIDE = 0.9
Row = tuple[str, str, str, str]


def main() -> int:
    """Measure everything and print the table."""
    rows: list[Row] = []
    try:
        with running_postgres(_DURABLE) as server_url:
            heading = _heading(server_url)
            for name, measure in _MEASURES.items():
                _say(f"Measuring {name} ...")
                with tempfile.TemporaryDirectory(prefix="countersign-bench-") as directory:
                    database_url = new_database(server_url, f"bench_{len(rows)}")
                    rows += measure(database_url, Path(directory))
    except ProcessFailedError as error:
        sys.exit(str(error))
    _say(f"\n{heading}\n\n{_table(rows)}")
    return any(_EXCEEDED in ratio for *_, ratio in rows)


def _starting(_: str, directory: Path) -> list[Row]:
    starts = starting.measure(directory)
    return [
        _within("make run in a fresh clone", starts.from_nothing, "with its downloads", 180),
        _within("make run once more", starts.again, "a warm start", 10),
    ]


def _submitting(database_url: str, directory: Path) -> list[Row]:
    rates = submitting.measure(database_url, directory, reads_facts=False)
    return _rows("submissions/s, facts off", rates)


def _submitting_with_facts(database_url: str, directory: Path) -> list[Row]:
    rates = submitting.measure(database_url, directory, reads_facts=True)
    return _rows("submissions/s, facts from the local Stripe", rates)


def _rows(name: str, rates: Rates) -> list[Row]:
    ours, statements = median(rates.ours), rates.statements
    return [
        _row(name, ours, f"{statements} statements by {how}", median(other), rates.ours, other)
        for how, other in (("pgbench", rates.pgbench), ("a psycopg loop", rates.driver))
    ]


def _row(
    name: str,
    ours: float,
    other_name: str,
    other: float,
    all_ours: list[float],
    others: list[float],
) -> Row:
    ratios = sorted(mine / theirs for mine, theirs in zip(all_ours, others, strict=True))
    spread = f"{median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    return (name, f"{ours:.0f}/s", f"{other_name}: {other:.0f}/s", spread)


def _within(name: str, seconds: float, what: str, allowed: float) -> Row:
    """A row that is held to a bound: more than it, and the whole run fails."""
    verdict = "" if seconds <= allowed else f" {_EXCEEDED}"
    return (
        name,
        f"{seconds:.2f} s" if seconds >= 0.1 else f"{seconds * 1000:.1f} ms",
        f"allowed: {what}, {allowed:g} s",
        f"{seconds / allowed:.2f}{verdict}",
    )


def _approving(database_url: str, directory: Path) -> list[Row]:
    delays = approving.measure(database_url, directory)
    rows = [
        _within(f"{_FIRST_BYTE}, p95", percentile(delays.with_broker, 95), "with Redis", 1),
        _within(
            f"{_FIRST_BYTE}, without Redis, p95",
            percentile(delays.without_broker, 95),
            "sweep interval and a second",
            delays.sweep_every + 1,
        ),
    ]
    for per_cent in (50, 95, 99):
        heard = percentile(delays.with_broker, per_cent)
        for how, others in (
            ("every message lost, rung for by the sweeper", delays.unheard),
            ("without the broker, carried out by the loop", delays.without_broker),
        ):
            other = percentile(others, per_cent)
            name = f"{_FIRST_BYTE}, p{per_cent}"
            rows.append(
                (name, f"{heard * 1000:.0f} ms", f"{how}: {other:.2f} s", f"{heard / other:.3f}")
            )
    return rows


def _reading(database_url: str, directory: Path) -> list[Row]:
    found = reading.measure(database_url, directory)
    rows = []
    for name, per_cent in (("median", 50), ("p99", 99)):
        ours, sql = found.ours.percentile(per_cent), found.sql.percentile(per_cent)
        baseline = f"its SQL by a psycopg loop: {sql * 1000:.2f} ms"
        title = f"GET /api/v1/requests/{{id}}, {name}"
        rows.append((title, f"{ours * 1000:.2f} ms", baseline, f"{sql / ours:.2f}"))
    return rows


def _surviving(database_url: str, directory: Path) -> list[Row]:
    costs = surviving.measure(database_url, directory)
    slowest, frozen, usual = max(costs.recovered), max(costs.frozen), max(costs.usual)
    return [
        _within(
            "from kill -9 within the request to the refund in the record, slowest",
            slowest,
            "lease and sweep interval",
            costs.allowed,
        ),
        _within("approving while Redis is frozen, slowest", frozen, "publishing", _PUBLISHING),
        (
            "opening and approving while Redis is frozen, slowest",
            f"{frozen:.2f} s",
            f"while it answers, slowest: {usual:.2f} s",
            f"{usual / frozen:.3f}",
        ),
    ]


def _recording(database_url: str, directory: Path) -> list[Row]:
    found = record.measure(database_url, directory)
    # log₂ n + 1, in whole hashes.
    most = record.LEAVES.bit_length()
    verdict = "" if found.hashes <= most else f" {_EXCEEDED}"
    return [
        _at_least("rows sealed, on one core", found.sealed, 5_000),
        _at_least("leaves verified: read, hashing and tree", found.leaves, 50_000),
        ("history rows verified: columns, HMAC and leaf", f"{found.columns:.0f}/s", "", ""),
        _within("inclusion proof of a million leaves, median", found.proof, "the goal", 0.05),
        _within("inclusion proof, slowest", found.slowest_proof, "the goal", 0.05),
        (
            "hashes of such a proof",
            f"{found.hashes}",
            f"allowed: {most}",
            f"{found.hashes / most:.2f}{verdict}",
        ),
    ]


def _submitting_beside(database_url: str, directory: Path) -> list[Row]:
    found = beside.measure(database_url, directory)
    with_it, without = median(found.sealing), median(found.alone)
    name, other = "submissions/s, while the sealer is at work", "without it"
    row = _row(name, with_it, other, without, found.sealing, found.alone)
    ratio = median(one / two for one, two in zip(found.sealing, found.alone, strict=True))
    verdict = "" if ratio >= _BESIDE else f" {_EXCEEDED}"
    return [(*row[:3], f"{row[3]}, at least {_BESIDE}{verdict}")]


def _evidencing(database_url: str, directory: Path) -> list[Row]:
    seconds = evidencing.measure(database_url, directory)
    return [_within("an evidence file, slowest", max(seconds), "the goal", 2)]


def _at_least(name: str, rate: float, least: float) -> Row:
    """A row that is held to a rate: less than it, and the whole run fails."""
    verdict = "" if rate >= least else f" {_EXCEEDED}"
    return (name, f"{rate:.0f}/s", f"at least {least:.0f}/s", f"{rate / least:.2f}{verdict}")


_MEASURES: dict[str, Callable[[str, Path], list[Row]]] = {
    "starts": _starting,
    "submissions": _submitting,
    "submissions that read facts": _submitting_with_facts,
    "approvals": _approving,
    "reading": _reading,
    "failures": _surviving,
    "the record": _recording,
    "submissions beside the sealer": _submitting_beside,
    "evidence": _evidencing,
}


def _heading(server_url: str) -> str:
    with psycopg.connect(server_url) as connection:
        version = connection.info.server_version // 10000
    return (
        f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} before the start, "
        f"Python {platform.python_version()}, PostgreSQL {version} with fsync on. "
        f"{submitting.CONNECTIONS} connections, each with an agent of its own; "
        f"{len(submitting.COUNTED)} submissions of each in each of {submitting.ROUNDS} rounds, "
        f"the median of them; {approving.APPROVALS} approvals with messages, "
        f"{approving.UNHEARD} with lost ones and {approving.UNHEARD} without the broker; "
        f"{reading.COUNTED} readings; {surviving.KILLS * surviving.KILLED_AT_ONCE} workers killed; "
        f"{surviving.APPROVALS} approvals while Redis is frozen."
    )


def _table(rows: list[Row]) -> str:
    lines = [("what", "ours", "against", "ratio"), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    padded = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([padded[0], rule, *padded[1:]])


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
