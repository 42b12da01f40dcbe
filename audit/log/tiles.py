"""The tree in tiles, in the layout of C2SP tlog-tiles: what is stored, served and read.

A tile is up to 256 consecutive hashes of every eighth level of the tree. The hashes between are
computed when they are needed, so that growing the tree touches one tile on each of a few levels,
and a proof from a million leaves reads a handful.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from audit.errors import TileError
from audit.log.merkle import HASH_BYTES, Node, Read, fold

#: How many levels of the tree one tile spans, and how many hashes that makes.
HEIGHT = 8
WIDTH = 1 << HEIGHT
FULL_BYTES = WIDTH * HASH_BYTES
MOST_LEVELS = 64

#: No index reaches what a database's integers cannot hold.
_MOST_INDEX = 2**63
_PATH = re.compile(
    r"tile/(?:(?P<level>\d{1,2})|entries)/(?P<index>(?:x\d{3}/)*\d{3})(?:\.p/(?P<width>\d{1,3}))?",
)


@dataclass(frozen=True, kw_only=True)
class Tile:
    """The first ``width`` hashes of a tile; 256 make it full, and then it never changes."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def is_full(self) -> bool:
        """Tell whether its root is a hash of the level above."""
        return self.width == WIDTH

    @property
    def path(self) -> str:
        """Return where it is served, below the address of the log."""
        return f"tile/{self.level}/{_place(self.index, self.width)}"


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """The entries under a tile of level 0."""

    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Return where it is served, below the address of the log."""
        return f"tile/entries/{_place(self.index, self.width)}"


#: Returns the bytes of the tiles, each exactly as wide as asked; all at once.
ReadTiles = Callable[[Iterable[Tile]], Mapping[Tile, bytes]]


def parse_path(path: str) -> Tile | Bundle:
    """Return what is served at a path.

    Raises:
        TileError: it is not the one path of anything.
    """
    found = _PATH.fullmatch(path)
    if found is None:
        raise TileError("This is no path of a tile.")
    index = int(found["index"].replace("x", "").replace("/", ""))
    width = WIDTH if found["width"] is None else int(found["width"])
    if found["level"] is None:
        parsed: Tile | Bundle = Bundle(index=index, width=width)
    else:
        parsed = Tile(level=int(found["level"]), index=index, width=width)
        if parsed.level >= MOST_LEVELS:
            raise TileError("No tree is that high.")
    # One path for one thing: superfluous zeros, or a full tile called partial, are refused.
    if parsed.path != path or not 1 <= width <= WIDTH or index >= _MOST_INDEX:
        raise TileError("This is no path of a tile.")
    return parsed


def has_tile(size: int, tile: Tile) -> bool:
    """Tell whether a tree of ``size`` leaves has all hashes of the tile."""
    hashes = size >> (HEIGHT * tile.level)
    return tile.index * WIDTH + tile.width <= hashes


def grow(size: int, leaf_hashes: Sequence[bytes], read: ReadTiles) -> dict[Tile, bytes]:
    """Return every tile that new leaves change, as it is with them.

    Of what is there, at most one tile of each level is read: the one that is not full.
    """
    changed: dict[Tile, bytes] = {}
    level, count, new = 0, size, b"".join(leaf_hashes)
    while new:
        first, begun = divmod(count, WIDTH)
        if begun:
            new = _read(read, [Tile(level=level, index=first, width=begun)])[0] + new
        above = []
        for start in range(0, len(new), FULL_BYTES):
            data = new[start : start + FULL_BYTES]
            tile = Tile(
                level=level, index=first + start // FULL_BYTES, width=len(data) // HASH_BYTES
            )
            changed[tile] = data
            if tile.is_full:
                above.append(fold(split(data)))
        level, count, new = level + 1, count // WIDTH, b"".join(above)
    return changed


def reader(size: int, read: ReadTiles) -> Read:
    """Return how ``merkle`` reads nodes of the tree of ``size`` leaves out of its tiles.

    Raises, when it reads:
        TileError: a tile is not as long as it must be.
    """

    def read_nodes(nodes: Sequence[Node]) -> list[bytes]:
        tiles = [_tile_of(node, size) for node in nodes]
        distinct = list(dict.fromkeys(tiles))
        known = dict(zip(distinct, _read(read, distinct), strict=True))
        return [_hash_in(known[tile], node) for tile, node in zip(tiles, nodes, strict=True)]

    return read_nodes


def split(data: bytes) -> list[bytes]:
    """Return the hashes of a tile."""
    return [data[start : start + HASH_BYTES] for start in range(0, len(data), HASH_BYTES)]


def pack(entries: Iterable[bytes]) -> bytes:
    """Return the bundle of entries: each after its length in two bytes."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unpack(data: bytes) -> list[bytes]:
    """Return the entries of a bundle.

    Raises:
        TileError: it is cut, or something follows the last one.
    """
    entries, start = [], 0
    while start < len(data):
        end = start + 2 + int.from_bytes(data[start : start + 2], "big")
        if end > len(data):
            raise TileError("The bundle of entries is cut.")
        entries.append(data[start + 2 : end])
        start = end
    return entries


def _place(index: int, width: int) -> str:
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    *outer, last = (digits[start : start + 3] for start in range(0, len(digits), 3))
    place = "/".join([*(f"x{part}" for part in outer), last])
    return place if width == WIDTH else f"{place}.p/{width}"


def _read(read: ReadTiles, tiles: Sequence[Tile]) -> list[bytes]:
    found = read(tiles)
    for tile in tiles:
        if len(found[tile]) != tile.width * HASH_BYTES:
            raise TileError(f"{tile.path} has {len(found[tile])} bytes.")
    return [found[tile] for tile in tiles]


def _tile_of(node: Node, size: int) -> Tile:
    """Return the tile with the hashes from which a node is computed, as wide as it is by then."""
    level, height = divmod(node.level, HEIGHT)
    index = (node.position << height) // WIDTH
    width = min(WIDTH, (size >> (HEIGHT * level)) - index * WIDTH)
    return Tile(level=level, index=index, width=width)


def _hash_in(data: bytes, node: Node) -> bytes:
    height = node.level % HEIGHT
    start = ((node.position << height) % WIDTH) * HASH_BYTES
    return fold(split(data[start : start + (HASH_BYTES << height)]))
