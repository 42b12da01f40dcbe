"""The tree as the database keeps it: leaves, and tiles as soon as they are full.

What a tile holds that is not full follows from the leaves (level 0) or from the roots of the full
tiles below. Hence nothing about the log is ever written twice.
"""

from collections.abc import Iterable

from django.db.models import Max

from audit.errors import TileError
from audit.log import tiles
from audit.log.merkle import hash_leaf
from audit.log.tiles import WIDTH, Bundle, Tile
from audit.models import Checkpoint, Leaf, LogTile


def last_checkpoint() -> Checkpoint | None:
    """Return what was signed last; None when nothing was sealed yet."""
    return Checkpoint.objects.order_by("-size").first()


def count_leaves() -> int:
    """Return one more than the largest number of a leaf."""
    last = Leaf.objects.aggregate(last=Max("number"))["last"]
    return 0 if last is None else last + 1


def read_tiles(wanted: Iterable[Tile]) -> dict[Tile, bytes]:
    """Return the bytes of each tile, as wide as asked.

    Raises:
        TileError: the database does not hold it.
    """
    return {tile: _read(tile) for tile in wanted}


def read_bundle(bundle: Bundle) -> bytes:
    """Return the entries of a bundle, each after its length.

    Raises:
        TileError: the database does not hold all of them.
    """
    return tiles.pack(_entries(bundle.index, bundle.width))


def _read(tile: Tile) -> bytes:
    if tile.is_full:
        kept = LogTile.objects.filter(level=tile.level, index=tile.index).first()
        if kept is None:
            raise TileError(f"{tile.path} is not in the database.")
        return bytes(kept.hashes)
    if tile.level == 0:
        return b"".join(hash_leaf(entry) for entry in _entries(tile.index, tile.width))
    first = tile.index * WIDTH
    below = LogTile.objects.filter(
        level=tile.level - 1, index__gte=first, index__lt=first + tile.width
    )
    roots = below.order_by("index").values_list("root", flat=True)
    return b"".join(_exactly(roots, tile.width))


def _entries(index: int, width: int) -> list[bytes]:
    first = index * WIDTH
    leaves = Leaf.objects.filter(number__gte=first, number__lt=first + width)
    return _exactly(leaves.order_by("number").values_list("entry", flat=True), width)


def _exactly(digests: Iterable[str], count: int) -> list[bytes]:
    found = [bytes.fromhex(digest) for digest in digests]
    if len(found) != count:
        raise TileError(f"Of {count} hashes of the log the database holds {len(found)}.")
    return found
