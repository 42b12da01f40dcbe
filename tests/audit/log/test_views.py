"""The log as anybody reads it: a client that knows the specification needs nothing else."""

import pytest

from audit.log import checkpoints, keys, merkle, services, storage, tiles
from audit.log.tiles import Tile
from audit.models import Leaf

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("log_key")]


@pytest.fixture
def sealed(change) -> int:
    """A log with one full tile; returns its size."""
    change(300)
    return services.seal().size


def test_a_client_proves_a_leaf_by_the_addresses_alone(client, sealed):
    note = client.get("/log/checkpoint").content.decode()
    head = checkpoints.verify(note, origin=keys.origin(), trusted=keys.note_keys())

    def read(wanted):
        return {tile: client.get(f"/log/{tile.path}").content for tile in wanted}

    nodes = tiles.reader(head.size, read)
    assert merkle.root(head.size, nodes) == head.root
    entry = tiles.unpack(client.get("/log/tile/entries/000").content)[7]
    merkle.check_inclusion(
        leaf_hash=merkle.hash_leaf(entry),
        index=7,
        size=head.size,
        proof=merkle.inclusion_proof(7, head.size, nodes),
        root=head.root,
    )


def test_the_entries_are_those_of_the_leaves(client, sealed):
    width = sealed - 256
    served = tiles.unpack(client.get("/log/tile/entries/000").content)
    served += tiles.unpack(client.get(f"/log/tile/entries/001.p/{width}").content)

    kept = Leaf.objects.order_by("number").values_list("entry", flat=True)
    assert [entry.hex() for entry in served] == list(kept)


def test_what_never_changes_is_kept_for_long_and_the_checkpoint_is_not(client, sealed):
    checkpoint, tile = client.get("/log/checkpoint"), client.get("/log/tile/0/000")

    assert checkpoint["Content-Type"] == "text/plain; charset=utf-8"
    assert checkpoint["Cache-Control"] == "public, max-age=1"
    assert tile["Content-Type"] == "application/octet-stream"
    assert set(tile["Cache-Control"].split(", ")) == {"public", "max-age=31536000", "immutable"}
    assert len(tile.content) == tiles.FULL_BYTES
    for response in (checkpoint, tile):
        assert "Set-Cookie" not in response
        assert "Cookie" not in response.get("Vary", "")


def test_what_is_not_there_is_not_found_and_not_kept(client, sealed):
    levels = ["0/001", "0/000.p/0", "1/001", "1/000", "2/000.p/1", "0/0"]
    for place in [*levels, "entries/001", "x", "../checkpoint"]:
        response = client.get(f"/log/tile/{place}")

        assert response.status_code == 404, place
        assert "immutable" not in response.get("Cache-Control", "")


def test_no_tile_wider_than_the_last_checkpoint_is_served(client, sealed):
    width = sealed - 256

    assert client.get(f"/log/tile/0/001.p/{width}").status_code == 200
    assert client.get(f"/log/tile/0/001.p/{width + 1}").status_code == 404
    assert client.get(f"/log/tile/entries/001.p/{width + 1}").status_code == 404


def test_what_nobody_signed_is_not_served(client, sealed):
    width = sealed - 256 + 1
    Leaf.objects.create(number=sealed, table="forged", row=1, entry="00" * 32)

    assert client.get(f"/log/tile/0/001.p/{width}").status_code == 404
    assert client.get(f"/log/tile/entries/001.p/{width}").status_code == 404


def test_a_tile_that_was_partial_is_still_served_when_it_is_full(client, sealed):
    full = client.get("/log/tile/0/000").content

    assert client.get("/log/tile/0/000.p/100").content == full[: 100 * merkle.HASH_BYTES]


def test_nothing_is_served_before_the_first_seal(client):
    assert client.get("/log/checkpoint").status_code == 404
    assert client.get("/log/tile/0/000.p/1").status_code == 404


def test_a_damaged_log_serves_nothing_wrong(client, sealed):
    Leaf.objects.filter(number=260).delete()

    assert client.get(f"/log/tile/0/001.p/{sealed - 256}").status_code == 404
    with pytest.raises(tiles.TileError):
        storage.read_tiles([Tile(level=0, index=1, width=sealed - 256)])


@pytest.mark.parametrize("path", ["/log/checkpoint", "/log/tile/0/000.p/1"])
def test_it_can_only_be_read(client, agent, path):
    services.seal()

    for method in ("post", "put", "patch", "delete"):
        assert getattr(client, method)(path).status_code == 405
    assert client.head(path).status_code == 200
