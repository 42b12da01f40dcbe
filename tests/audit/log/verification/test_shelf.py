"""The stored tiles, compared with those that the leaves make."""

import pytest

from audit.log import merkle, tiles
from audit.log.merkle import hash_leaf
from audit.log.tiles import Tile
from audit.log.verification import shelf
from audit.log.verification.shelf import Shelf
from audit.models import LogTile
from tests.audit.log import naive
from tests.audit.log.verification.conftest import found, sql

pytestmark = pytest.mark.django_db


@pytest.fixture
def hashes(monkeypatch, unguarded):
    """The hashes of as many leaves as make one tile of the second level, with tiles of four."""
    for module in (shelf, tiles):
        monkeypatch.setattr(module, "WIDTH", 4)
    monkeypatch.setattr(tiles, "HEIGHT", 2)
    monkeypatch.setattr(tiles, "FULL_BYTES", 128)
    monkeypatch.setattr(shelf, "_AHEAD", 2)
    monkeypatch.setattr(Tile, "is_full", property(lambda tile: tile.width == 4))
    hashes = [hash_leaf(entry) for entry in naive.entries(17)]
    for tile, data in tiles.grow(0, hashes, lambda wanted: {}).items():
        if tile.is_full:
            root = merkle.fold(tiles.split(data)).hex()
            LogTile.objects.create(level=tile.level, index=tile.index, hashes=data, root=root)
    assert LogTile.objects.count() == 5
    return hashes


def compared(hashes) -> list[str]:
    stored = Shelf()
    return [finding.text for value in hashes for finding in stored.put(value)]


def test_tiles_that_follow_from_the_leaves_have_no_findings(hashes):
    assert compared(hashes) == []
    assert list(shelf.find_unsigned({0: 3, 1: 0}, 17)) == []


@pytest.mark.parametrize(("level", "index"), [(0, 0), (0, 3), (1, 0)])
def test_a_missing_tile_is_named(hashes, level, index):
    sql('DELETE FROM audit_logtile WHERE level = %s AND "index" = %s', level, index)

    assert compared(hashes) == [f"tile audit_logtile:{level}/{index} The stored tile is missing."]


@pytest.mark.parametrize(("level", "index", "what"), [(0, 2, "leaf 9"), (1, 0, "level 0, tile 1")])
def test_a_changed_tile_is_named_with_what_is_below(hashes, level, index, what):
    data = bytearray(LogTile.objects.get(level=level, index=index).hashes)
    data[40] ^= 1
    change(level, index, "hashes", bytes(data))

    sentence = f"The stored tile does not follow from {what}."
    assert compared(hashes) == [f"tile audit_logtile:{level}/{index} {sentence}"]


def test_many_changed_leaves_are_not_all_named(hashes, monkeypatch):
    monkeypatch.setattr(shelf, "_FEW", 2)
    change(0, 0, "hashes", bytes(128))

    assert compared(hashes)[0].endswith("does not follow from leaf 0, 1 and others.")


def test_a_tile_of_another_length_is_named(hashes):
    change(0, 0, "hashes", b"short")

    assert compared(hashes) == ["tile audit_logtile:0/0 The stored tile has 5 bytes."]


def test_another_root_of_a_tile_is_named(hashes):
    change(0, 3, "root", "00" * 32)

    sentence = "The stored tile has another root than its hashes should give."
    assert compared(hashes) == [f"tile audit_logtile:0/3 {sentence}"]


def test_a_leaf_that_is_not_known_keeps_no_other_tile_from_its_check(hashes):
    change(0, 2, "hashes", b"")
    change(0, 0, "hashes", b"")

    lines = compared([None, *hashes[1:]])

    assert lines == ["tile audit_logtile:0/2 The stored tile has 0 bytes."]


def test_tiles_beyond_what_was_signed_are_named(hashes):
    lines = [one.text for one in shelf.find_unsigned({0: 3, 1: 0}, 15)]

    what = "The stored tile is beyond what was signed."
    assert lines == [f"tile audit_logtile:0/3 {what}", f"tile audit_logtile:1/0 {what}"]


def change(level, index, column, value) -> None:
    statement = f'UPDATE audit_logtile SET {column} = %s WHERE level = %s AND "index" = %s'
    sql(statement, value, level, index)


class TestWithTheWholeLog:
    """Tiles as wide as they are."""

    def test_a_leaf_that_was_changed_is_named_by_its_tile(self, sealed):
        sealed(260)
        sql("UPDATE audit_leaf SET entry = %s WHERE number = 200", "00" * 32)

        sentence = "The stored tile does not follow from leaf 200."
        assert f"tile audit_logtile:0/0 {sentence}" in found()

    def test_around_a_missing_leaf_tiles_are_still_compared(self, sealed):
        sealed(520)
        sql("DELETE FROM audit_leaf WHERE number = 3")
        change(0, 1, "root", "00" * 32)

        lines = found()
        assert not [line for line in lines if line.startswith("tile audit_logtile:0/0")]
        assert [line for line in lines if line.startswith("tile audit_logtile:0/1")]

    def test_a_tile_beyond_the_log_is_named(self, sealed):
        LogTile.objects.create(level=3, index=0, hashes=b"", root="")

        what = "The stored tile is beyond what was signed."
        assert found() == [f"tile audit_logtile:3/0 {what}"]
