"""The stored tiles, compared with those that the leaves make."""

from collections.abc import Iterator, Sequence

from audit.log import tiles
from audit.log.merkle import fold
from audit.log.tiles import WIDTH
from audit.log.verification.findings import Finding
from audit.log.verification.pages import pages
from audit.models import LogTile

TABLE = LogTile._meta.db_table
#: Tiles that are read at once: half a megabyte.
_AHEAD = 64
_FEW = 5


class Shelf:
    """Takes the hashes of all leaves in their order; None stands for one that is not known."""

    def __init__(self) -> None:
        self._begun: list[list[bytes | None]] = []
        self._done: list[int] = []
        #: Of each level, the tiles that were read last, and the number of the first.
        self._read: dict[int, tuple[int, dict[int, LogTile]]] = {}

    def put(self, value: bytes | None, level: int = 0) -> Iterator[Finding]:
        """Add a hash; compare the tile when that makes it full, and then the one above."""
        if level == len(self._begun):
            self._begun.append([])
            self._done.append(0)
        begun = self._begun[level]
        begun.append(value)
        if len(begun) < WIDTH:
            return
        self._begun[level] = []
        index = self._done[level]
        self._done[level] += 1
        known = [one for one in begun if one is not None]
        whole = len(known) == WIDTH
        if whole:
            yield from self._compare(level, index, known)
        yield from self.put(fold(known) if whole else None, level + 1)

    def _compare(self, level: int, index: int, known: Sequence[bytes]) -> Iterator[Finding]:
        tile = self._stored(level, index)
        if tile is None:
            yield _finding(level, index, "is missing.")
            return
        if bytes(tile.hashes) != b"".join(known):
            yield _finding(level, index, _difference(tile, known))
        if tile.root != fold(known).hex():
            yield _finding(level, index, "has another root than its hashes should give.")

    def _stored(self, level: int, index: int) -> LogTile | None:
        start = index - index % _AHEAD
        if self._read.get(level, (None, {}))[0] != start:
            ahead = LogTile.objects.filter(level=level, index__gte=start, index__lt=start + _AHEAD)
            self._read[level] = start, {tile.index: tile for tile in ahead}
        return self._read[level][1].get(index)


def find_unsigned(ends: dict[int, int], size: int) -> Iterator[Finding]:
    """Find tiles that no signed checkpoint covers; ``ends`` are the last ones of each level."""
    for level, end in ends.items():
        full = size >> (tiles.HEIGHT * (level + 1))
        beyond = LogTile.objects.filter(level=level, index__gte=full, index__lte=end)
        for page in pages(beyond.values_list("index", named=True), key="index"):
            for tile in page:
                yield _finding(level, tile.index, "is beyond what was signed.")


def _difference(tile: LogTile, known: Sequence[bytes]) -> str:
    """Say which leaves, or which tiles below, a stored tile does not follow from."""
    data = bytes(tile.hashes)
    if len(data) != tiles.FULL_BYTES:
        return f"has {len(data)} bytes."
    pairs = enumerate(zip(tiles.split(data), known, strict=True))
    places = [str(tile.index * WIDTH + place) for place, (one, other) in pairs if one != other]
    below = "leaf" if tile.level == 0 else f"level {tile.level - 1}, tile"
    more = " and others" if len(places) > _FEW else ""
    return f"does not follow from {below} {', '.join(places[:_FEW])}{more}."


def _finding(level: int, index: int, what: str) -> Finding:
    return Finding(
        kind="tile", table=TABLE, row=f"{level}/{index}", sentence=f"The stored tile {what}"
    )
