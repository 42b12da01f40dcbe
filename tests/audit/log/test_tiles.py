"""Tiles: the layout of C2SP, and a tree that is read from them and grows by them."""

import hashlib
import random
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import TileError
from audit.log import merkle, tiles
from audit.log.tiles import Bundle, Tile
from tests.audit.log import naive
from tests.audit.log.naive import Shelf

# No database is needed, so one run of them is enough.
pytestmark = pytest.mark.embedded

#: The example of the specification, section "Partial Tiles".
SPECIFIED = 70_000


@pytest.fixture(scope="module")
def large() -> Shelf:
    shelf = Shelf()
    shelf.append(naive.entries(SPECIFIED))
    return shelf


PATHS = [
    (Tile(level=0, index=0), "tile/0/000"),
    (Tile(level=1, index=999), "tile/1/999"),
    (Tile(level=0, index=1000), "tile/0/x001/000"),
    (Tile(level=0, index=1234067), "tile/0/x001/x234/067"),
    (Tile(level=63, index=5, width=1), "tile/63/005.p/1"),
    (Tile(level=2, index=1234067, width=255), "tile/2/x001/x234/067.p/255"),
    (Bundle(index=273, width=112), "tile/entries/273.p/112"),
    (Bundle(index=1000), "tile/entries/x001/000"),
]


@pytest.mark.parametrize(("tile", "path"), PATHS)
def test_a_tile_has_one_path(tile, path):
    assert tile.path == path
    assert tiles.parse_path(path) == tile


@given(level=st.integers(0, 63), index=st.integers(0, 2**63 - 1), width=st.integers(1, tiles.WIDTH))
def test_a_path_is_read_as_it_was_written(level, index, width):
    for tile in (Tile(level=level, index=index, width=width), Bundle(index=index, width=width)):
        assert tiles.parse_path(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/x000/001",
        "tile/0/X001/000",
        "tile/00/000",
        "tile/01/000",
        "tile/64/000",
        "tile/100/000",
        "tile/-1/000",
        "tile/0/-01",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000.p/999",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000/",
        "tile/0/000\n",
        " tile/0/000",
        "/tile/0/000",
        "tile/0/٠٠٠",
        "tile/entry/000",
        "tile/entries/0",
        "tile/0/x009/x223/x372/x036/x854/x775/808",
        "tile/0/../000",
    ],
)
def test_any_other_path_is_refused(path):
    with pytest.raises(TileError):
        tiles.parse_path(path)


def test_the_tree_of_the_specification_has_its_tiles(large):
    widths = {}
    for (level, _), data in large.kept.items():
        widths.setdefault(level, []).append(len(data) // merkle.HASH_BYTES)

    assert widths == {0: [256] * 273 + [112], 1: [256, 17], 2: [1]}


@pytest.mark.parametrize(("size", "level", "width"), [(256, 1, 1), (65536, 2, 1), (255, 0, 255)])
def test_a_tile_appears_when_the_one_below_is_full(size, level, width):
    assert tiles.has_tile(size, Tile(level=level, index=0, width=width))
    assert not tiles.has_tile(size - 1, Tile(level=level, index=0, width=width))


def test_only_the_last_tile_of_each_level_is_not_full():
    last = [Tile(level=0, index=273, width=112), Tile(level=1, index=1, width=17)]
    for tile in [*last, Tile(level=2, index=0, width=1)]:
        wider = Tile(level=tile.level, index=tile.index, width=tile.width + 1)
        assert tiles.has_tile(SPECIFIED, tile)
        assert not tiles.has_tile(SPECIFIED, wider)
        assert not tiles.has_tile(SPECIFIED, Tile(level=tile.level, index=tile.index + 1, width=1))


@given(st.lists(st.integers(0, 300), max_size=5))
def test_a_tree_that_grew_in_batches_is_the_tree_of_all_its_entries(batches):
    entries = naive.entries(sum(batches))
    shelf = Shelf()
    for batch in batches:
        shelf.append(entries[shelf.size : shelf.size + batch])

    whole = Shelf()
    whole.append(entries)
    assert shelf.kept == whole.kept
    assert merkle.root(shelf.size, shelf.nodes()) == naive.root(entries)


@given(st.data(), st.integers(1, 700))
def test_proofs_from_tiles_are_those_of_the_definition(data, size):
    entries = naive.entries(size)
    shelf = Shelf()
    shelf.append(entries)
    # Of a tree that has grown on, the proofs of an earlier checkpoint are still made.
    earlier = data.draw(st.integers(1, size))
    index = data.draw(st.integers(0, earlier - 1))
    old_size = data.draw(st.integers(1, earlier))
    read, then = shelf.nodes(earlier), entries[:earlier]

    assert merkle.inclusion_proof(index, earlier, read) == naive.path(index, then)
    assert merkle.consistency_proof(old_size, earlier, read) == naive.proof(old_size, then)


def test_proofs_go_through_every_level_of_tiles(large):
    root = merkle.root(SPECIFIED, large.nodes())
    chosen = random.Random(6962)
    for index in [0, 255, 256, 65_535, 65_536, 69_999, *chosen.sample(range(SPECIFIED), 20)]:
        proof = merkle.inclusion_proof(index, SPECIFIED, large.nodes())
        merkle.check_inclusion(
            leaf_hash=merkle.hash_leaf(b"entry %d" % index),
            index=index,
            size=SPECIFIED,
            proof=proof,
            root=root,
        )


def test_growing_by_one_reads_and_changes_one_tile_of_each_level(large):
    shelf = Shelf()
    shelf.kept, shelf.size = dict(large.kept), SPECIFIED

    changed = shelf.append([b"one more"])

    assert shelf.asked == [Tile(level=0, index=273, width=112)]
    assert [tile.path for tile in changed] == ["tile/0/273.p/113"]


def test_growing_over_the_edges_of_all_tiles_reads_at_most_one_of_each_level():
    shelf = Shelf()
    shelf.append(naive.entries(65_535))
    shelf.asked.clear()

    changed = shelf.append([b"the last one", b"and the first of the next"])

    assert [tile.path for tile in shelf.asked] == ["tile/0/255.p/255", "tile/1/000.p/255"]
    assert [tile.path for tile in changed] == [
        "tile/0/255",
        "tile/0/256.p/1",
        "tile/1/000",
        "tile/2/000.p/1",
    ]


class Uniform:
    """The tiles of a log in which all entries are the same, without keeping them."""

    def __init__(self) -> None:
        self.asked: list[Tile] = []
        self.roots = [merkle.hash_leaf(b"same")]
        for _ in range(64):
            self.roots.append(hashlib.sha256(b"\x01" + self.roots[-1] * 2).digest())

    def read(self, wanted: Iterable[Tile]) -> Mapping[Tile, bytes]:
        wanted = list(wanted)
        self.asked += wanted
        return {tile: self.roots[8 * tile.level] * tile.width for tile in wanted}


@pytest.mark.parametrize("index", [0, 499_999, 524_288, 999_999])
def test_a_proof_from_a_million_leaves_reads_few_tiles(index):
    log, size = Uniform(), 1_000_000

    proof = merkle.inclusion_proof(index, size, tiles.reader(size, log.read))

    assert len(log.asked) <= 5
    assert len(proof) <= 20
    root = merkle.root(size, tiles.reader(size, log.read))
    merkle.check_inclusion(leaf_hash=log.roots[0], index=index, size=size, proof=proof, root=root)


@pytest.mark.parametrize("wrong", [b"", b"\x00" * 31, b"\x00" * 33, b"\x00" * 64])
def test_a_tile_of_another_length_is_refused(wrong):
    def read(wanted: Iterable[Tile]) -> dict[Tile, bytes]:
        return dict.fromkeys(wanted, wrong)

    with pytest.raises(TileError, match="bytes"):
        merkle.root(1, tiles.reader(1, read))
    with pytest.raises(TileError, match="bytes"):
        tiles.grow(1, [merkle.EMPTY_ROOT], read)


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_a_bundle_is_read_as_it_was_written(entries):
    assert tiles.unpack(tiles.pack(entries)) == entries


def test_each_entry_of_a_bundle_follows_its_length():
    assert tiles.pack([b"abc", b""]) == b"\x00\x03abc\x00\x00"


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x01", b"\x00\x03ab", b"\x00\x01a\x00"])
def test_a_bundle_that_was_cut_is_refused(data):
    with pytest.raises(TileError, match="cut"):
        tiles.unpack(data)
