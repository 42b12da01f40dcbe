"""How fast the record is sealed, verified and proven, on a log of a million leaves.

``python -m tests.benchmarks.record`` measures in the database that ``DATABASE_URL`` names, which
must be migrated and empty, with keys in ``COUNTERSIGN_VAR_DIR``; prints the numbers as JSON.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.flows.parts import ROOT

ROWS = 20_000
LEAVES = 1_000_000
PROOFS = 200
_BATCH = 256 * 256


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """Per second, except for proofs: seconds (median and slowest), and the most hashes."""

    sealed: float
    leaves: float
    columns: float
    proof: float
    slowest_proof: float
    hashes: int


def measure(database_url: str, directory: Path) -> Numbers:
    """Make the database and the keys, and measure in a process of its own."""
    environment = os.environ | {
        "COUNTERSIGN_ENV": "test",
        "COUNTERSIGN_VAR_DIR": str(directory),
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    environment.pop("TEST_DATABASE_URL", None)
    for command in (
        ["manage.py", "migrate", "--verbosity", "0"],
        ["manage.py", "rotate_signing_key", "--use", "log"],
        ["-m", "tests.benchmarks.record"],
    ):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-3000:])
    return Numbers(**json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure one thing after the other; each stands on what the one before has written."""
    import django

    django.setup()
    sealed = _seal()
    columns = _verify_columns()
    _grow()
    leaves = _verify_leaves()
    seconds, hashes = _prove()
    numbers = Numbers(
        sealed=sealed,
        leaves=leaves,
        columns=columns,
        proof=median(seconds),
        slowest_proof=max(seconds),
        hashes=hashes,
    )
    print(json.dumps(asdict(numbers)))


def _seal() -> float:
    from django.db import transaction

    from approvals import services as approvals
    from approvals.models import Agent, User
    from approvals.models.people import acting_as
    from approvals.permissions import SEED
    from audit import actors, clock, history
    from audit.history import Fact
    from audit.log import services

    with acting_as(SEED):
        owner = User.objects.create_user("bench", is_staff=True)
    by = actors.system("benchmark")
    made = approvals.create_agent(name="bench", owner_id=owner.pk, description="", by=by)
    agent = Agent.objects.get(pk=made.pk)
    fact = Fact(actor=by, event="agent:update", at=clock.now())
    with transaction.atomic():
        for _ in range(ROWS):
            history.record_many([agent], fact)
    started = time.perf_counter()
    done = services.seal()
    return done.leaves / (time.perf_counter() - started)


def _verify_columns() -> float:
    from approvals.models import Agent
    from audit import clock
    from audit.log.verification import rows
    from audit.log.verification.findings import Tally

    tally = Tally()
    started = time.perf_counter()
    _require_none(rows.check_rows(Agent.history.model, clock.now(), tally))
    return tally.rows / (time.perf_counter() - started)


def _verify_leaves() -> float:
    from audit.log.verification import heads, tree
    from audit.log.verification.findings import Tally
    from audit.log.verification.heads import Copies

    tally = Tally()
    started = time.perf_counter()
    _require_none(tree.check_tree(heads.present_trust(), [], tally, Copies()))
    assert tally.leaves == LEAVES
    return tally.leaves / (time.perf_counter() - started)


def _require_none(found: Iterator[Any]) -> None:
    for finding in found:
        raise RuntimeError(finding.text)


def _grow() -> None:
    """Add leaves of no rows, as the sealer would, until the log is as large as it should be."""
    from audit import clock
    from audit.log import checkpoints, keys, merkle, storage, tiles
    from audit.log.checkpoints import TreeHead
    from audit.models import Checkpoint, Leaf, LogTile

    size = storage.count_leaves()
    while size < LEAVES:
        numbers = range(size, min(size + _BATCH, LEAVES))
        entries = [merkle.entry_of(b"bench", str(number).encode()) for number in numbers]
        Leaf.objects.bulk_create(
            [
                Leaf(number=number, table="bench", row=number, entry=entry.hex())
                for number, entry in zip(numbers, entries, strict=True)
            ],
            batch_size=5000,
        )
        hashes = [merkle.hash_leaf(entry) for entry in entries]
        for tile, data in tiles.grow(size, hashes, storage.read_tiles).items():
            if tile.is_full:
                root = merkle.fold(tiles.split(data)).hex()
                LogTile.objects.create(level=tile.level, index=tile.index, hashes=data, root=root)
        size = numbers.stop
    root = merkle.root(size, tiles.reader(size, storage.read_tiles))
    head = TreeHead(origin=keys.origin(), size=size, root=root)
    note = checkpoints.sign(head, keys.signing_key(clock.now()))
    Checkpoint.objects.create(size=size, root=root.hex(), note=note, signed_at=clock.now())


def _prove() -> tuple[list[float], int]:
    """Make proofs of leaves from everywhere, each from the database alone."""
    from audit.log import merkle, storage, tiles

    seconds, most = [], 0
    for number in range(0, LEAVES, LEAVES // PROOFS):
        started = time.perf_counter()
        read = tiles.reader(LEAVES, storage.read_tiles)
        proof = merkle.inclusion_proof(number, LEAVES, read)
        seconds.append(time.perf_counter() - started)
        most = max(most, len(proof))
    return seconds, most


if __name__ == "__main__":
    main()
