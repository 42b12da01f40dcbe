"""The sealer: gives every row of the record its place in the log, and signs what the log is then.

Nothing waits for it. Rows are written by whoever changes something, and sealed a moment later.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import connection, transaction

from audit import clock, history
from audit.alarms import raise_alarm
from audit.errors import DamagedLogError, LogError
from audit.log import checkpoints, keys, merkle, storage, tiles
from audit.log.checkpoints import TreeHead
from audit.log.tiles import Tile
from audit.log.unsealed import Row, Search
from audit.models import Checkpoint, Leaf, LogTile

#: Rows of one transaction: on SQLite nobody else can write meanwhile.
BATCH = 1000

#: The advisory lock of the sealer: "seal" in ASCII. Any number that nobody else uses will do.
_LOCK = 0x7365616C
_FEW = 5


@dataclass(kw_only=True)
class Sealed:
    """What one round did: leaves added, the size of the log after it, rows that were not sealed."""

    leaves: int = 0
    size: int = 0
    refused: list[str] = field(default_factory=list)


def seal(*, thorough: bool = True, told: set[str] | None = None) -> Sealed:
    """Seal every row that has no leaf yet, batch by batch; sign a checkpoint for each batch.

    A search that is not thorough leaves out what lies far behind the newest sealed row of its
    table. ``told`` remembers for which rows the alarm was raised. A row that is not authentic gets
    no leaf: sealed, it would look as good as the others.

    Returns:
        What was done; nothing, when another sealer is at work.

    Raises:
        DamagedLogError: the log is not what was signed last; nothing is added to it.
        KeyFileError: the log key cannot sign.
    """
    done = Sealed()
    search = Search(thorough=thorough)
    more = not search.is_over()
    while more:
        more = _seal_batch(search, done)
    done.size = storage.count_leaves()
    _tell(done.refused, set() if told is None else told)
    return done


@transaction.atomic
def _seal_batch(search: Search, done: Sealed) -> bool:
    """Seal one batch; tell whether there may be more for this sealer."""
    if not _is_the_only_one():
        return False
    rows = search.next(BATCH)
    good = [row for row in rows if _is_authentic(row)]
    if good:
        _extend(_last_head(), good)
        done.leaves += len(good)
    if len(good) < len(rows):
        sealed = set(good)
        done.refused += [f"{row.table}:{row.pk}" for row in rows if row not in sealed]
    return len(rows) == BATCH


def _is_the_only_one() -> bool:
    """Hold the sealer's lock until the transaction ends; tell whether it could be had."""
    if connection.vendor != "postgresql":
        return True  # SQLite lets one writer in at a time.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _is_authentic(row: Row) -> bool:
    """Tell whether the row has its bytes, unchanged since they were written, and they are its own.

    Bytes that were copied from another row would be sealed twice, once under a false name.
    """
    if row.canonical is None or row.salt is None:
        return False
    if not history.is_authentic(row.canonical, row.salt, row.hmac):
        return False
    said = json.loads(row.canonical)
    return (said["table"], said["subject"], said["number"]) == (row.table, row.subject, row.number)


def _last_head() -> TreeHead:
    """Return what was signed last, after a look whether the database still holds that log.

    It looks at the end alone, at what is not in full tiles yet and at the roots of those: whether
    each leaf is still the one that was sealed is for a verification of the whole record.

    Raises:
        DamagedLogError: it holds another one. To go on would be to sign a fork.
    """
    last = storage.last_checkpoint()
    head = TreeHead(origin=keys.origin(), size=0, root=merkle.EMPTY_ROOT)
    try:
        if last is not None:
            head = checkpoints.verify(last.note, origin=head.origin, trusted=keys.note_keys())
        size = storage.count_leaves()
        root = merkle.root(head.size, tiles.reader(head.size, storage.read_tiles))
    except LogError as error:
        raise DamagedLogError(f"The log cannot be continued: {error}") from error
    if (size, root) != (head.size, head.root):
        raise DamagedLogError(
            f"The last checkpoint is about {head.size} leaves, and the database holds {size}, or "
            "others than those. Restore what is missing; nothing is sealed until then."
        )
    return head


def _extend(head: TreeHead, rows: Sequence[Row]) -> None:
    """Add a leaf for each row, the tiles that become full, and the checkpoint over all."""
    at = clock.now()
    entries = [_entry(row) for row in rows]
    Leaf.objects.bulk_create(
        Leaf(number=head.size + place, table=row.table, row=row.pk, entry=entry.hex())
        for place, (row, entry) in enumerate(zip(rows, entries, strict=True))
    )
    hashes = [merkle.hash_leaf(entry) for entry in entries]
    changed = tiles.grow(head.size, hashes, storage.read_tiles)
    LogTile.objects.bulk_create(
        LogTile(
            level=tile.level,
            index=tile.index,
            hashes=data,
            root=merkle.fold(tiles.split(data)).hex(),
        )
        for tile, data in changed.items()
        if tile.is_full
    )
    size = head.size + len(rows)
    root = merkle.root(size, tiles.reader(size, lambda wanted: _with_new(changed, wanted)))
    new = TreeHead(origin=head.origin, size=size, root=root)
    note = checkpoints.sign(new, keys.signing_key(at))
    Checkpoint.objects.create(size=size, root=root.hex(), note=note, signed_at=at)


def _entry(row: Row) -> bytes:
    assert row.salt is not None
    assert row.canonical is not None
    return merkle.entry_of(bytes.fromhex(row.salt), row.canonical.encode())


def _with_new(changed: dict[Tile, bytes], wanted: Iterable[Tile]) -> dict[Tile, bytes]:
    """Return tiles as they are after the change."""
    wanted = list(wanted)
    kept = storage.read_tiles(tile for tile in wanted if tile not in changed)
    return kept | {tile: changed[tile] for tile in wanted if tile in changed}


def _tell(refused: Sequence[str], told: set[str]) -> None:
    new = [row for row in refused if row not in told]
    if not new:
        return
    told.update(new)
    few = ", ".join(new[:_FEW]) + (" …" if len(new) > _FEW else "")
    raise_alarm(
        "record_not_authentic",
        f"{len(new)} rows of the record were not written by this installation, or were changed "
        f"before they were sealed; they have no leaf: {few}",
        subject=new[0],
    )
