"""The tree as RFC 6962 defines it, word by word: slow, and for comparison alone."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from audit.log import merkle, tiles
from audit.log.merkle import Node
from audit.log.tiles import Tile


def split(count: int) -> int:
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def root(entries: Sequence[bytes]) -> bytes:
    """MTH(D[n]), section 2.1."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = split(len(entries))
    return hashlib.sha256(b"\x01" + root(entries[:k]) + root(entries[k:])).digest()


def path(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D[n]), section 2.1.1."""
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if m < k:
        return [*path(m, entries[:k]), root(entries[k:])]
    return [*path(m - k, entries[k:]), root(entries[:k])]


def proof(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """PROOF(m, D[n]), section 2.1.2."""
    return subproof(m, entries, True)


def subproof(m: int, entries: Sequence[bytes], complete: bool) -> list[bytes]:
    n = len(entries)
    if m == n:
        return [] if complete else [root(entries)]
    k = split(n)
    if m <= k:
        return [*subproof(m, entries[:k], complete), root(entries[k:])]
    return [*subproof(m - k, entries[k:], False), root(entries[:k])]


def entries(count: int) -> list[bytes]:
    return [b"entry %d" % number for number in range(count)]


def reader(entries: Sequence[bytes]) -> merkle.Read:
    """Reads nodes by computing each from its leaves."""

    def read(nodes: Sequence[Node]) -> list[bytes]:
        spans = [(n.position << n.level, (n.position + 1) << n.level) for n in nodes]
        assert all(end <= len(entries) for _, end in spans), "beyond the tree"
        return [root(entries[start:end]) for start, end in spans]

    return read


class Shelf:
    """Tiles in memory, each as wide as it was last; remembers what was read."""

    def __init__(self) -> None:
        self.size = 0
        self.kept: dict[tuple[int, int], bytes] = {}
        self.asked: list[Tile] = []

    def append(self, entries: Iterable[bytes]) -> dict[Tile, bytes]:
        hashes = [merkle.hash_leaf(entry) for entry in entries]
        changed = tiles.grow(self.size, hashes, self.read)
        self.kept |= {(tile.level, tile.index): data for tile, data in changed.items()}
        self.size += len(hashes)
        return changed

    def read(self, wanted: Iterable[Tile]) -> Mapping[Tile, bytes]:
        wanted = list(wanted)
        self.asked += wanted
        return {
            tile: self.kept[tile.level, tile.index][: tile.width * merkle.HASH_BYTES]
            for tile in wanted
        }

    def nodes(self, size: int | None = None) -> merkle.Read:
        return tiles.reader(self.size if size is None else size, self.read)
