"""The sealer: every row once, in one tree, under one signature; nothing that is not authentic."""

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Model

from approvals.models import Agent
from audit.log import checkpoints, keys, merkle, services, storage, tiles, unsealed
from audit.log.tiles import Tile
from audit.models import Checkpoint, Leaf, LogTile
from tests.audit.log.conftest import rotate

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("log_key")]


def count_rows() -> int:
    return sum(model.objects.count() for model in unsealed.history_models())


def signed_head() -> checkpoints.TreeHead:
    last = storage.last_checkpoint()
    return checkpoints.verify(last.note, origin=keys.origin(), trusted=keys.note_keys())


def row_of(leaf: Leaf) -> Model:
    [model] = [m for m in unsealed.history_models() if m._meta.db_table == leaf.table]
    return model.objects.get(pk=leaf.row)


def expected_entry(leaf: Leaf) -> bytes:
    row = row_of(leaf)
    return merkle.entry_of(bytes.fromhex(row.salt), row.canonical.encode())


def test_every_row_of_every_history_table_gets_one_leaf(agent_key, change):
    change(3)

    done = services.seal()

    leaves = list(Leaf.objects.order_by("number"))
    assert done.leaves == done.size == len(leaves) == count_rows() > 0
    assert [leaf.number for leaf in leaves] == list(range(len(leaves)))
    assert all(bytes.fromhex(leaf.entry) == expected_entry(leaf) for leaf in leaves)
    assert Agent.history.model._meta.db_table in {leaf.table for leaf in leaves}


def test_the_checkpoint_is_about_exactly_these_leaves(agent):
    services.seal()

    head = signed_head()
    hashes = [merkle.hash_leaf(expected_entry(leaf)) for leaf in Leaf.objects.order_by("number")]
    assert head.size == len(hashes)
    assert head.root == root_of(hashes)


def root_of(hashes: list[bytes]) -> bytes:
    known: dict[tuple[int, int], bytes] = {}
    for tile, data in tiles.grow(0, hashes, lambda wanted: {}).items():
        known[tile.level, tile.index] = data
    return merkle.root(
        len(hashes),
        tiles.reader(len(hashes), lambda wanted: {t: known[t.level, t.index] for t in wanted}),
    )


def test_nothing_new_means_no_new_checkpoint(agent):
    services.seal()
    before = list(Checkpoint.objects.values_list("note", flat=True))

    assert services.seal().leaves == 0
    assert list(Checkpoint.objects.values_list("note", flat=True)) == before


def test_each_checkpoint_is_consistent_with_those_before(change):
    for _ in range(4):
        change(90)
        services.seal()

    heads = [
        checkpoints.verify(one.note, origin=keys.origin(), trusted=keys.note_keys())
        for one in Checkpoint.objects.order_by("size")
    ]
    now = heads[-1]
    read = tiles.reader(now.size, storage.read_tiles)
    assert len(heads) == 4
    for old in heads:
        merkle.check_consistency(
            old_size=old.size,
            old_root=old.root,
            size=now.size,
            root=now.root,
            proof=merkle.consistency_proof(old.size, now.size, read),
        )


def test_any_leaf_can_be_proven_to_be_in_the_log(change):
    change(300)
    services.seal()
    head = signed_head()

    read = tiles.reader(head.size, storage.read_tiles)
    assert LogTile.objects.count() == 1, "the full one"
    for leaf in Leaf.objects.filter(number__in=[0, 255, 256, head.size - 1]):
        merkle.check_inclusion(
            leaf_hash=merkle.hash_leaf(expected_entry(leaf)),
            index=leaf.number,
            size=head.size,
            proof=merkle.inclusion_proof(leaf.number, head.size, read),
            root=head.root,
        )


def test_an_earlier_and_narrower_tile_is_made_of_the_roots_below(change):
    change(520)
    services.seal()

    narrow, wide = (Tile(level=1, index=0, width=width) for width in (1, 2))
    assert LogTile.objects.filter(level=0).count() == 2
    assert storage.read_tiles([narrow])[narrow] == storage.read_tiles([wide])[wide][:32]


def test_batches_give_the_same_log_as_one(change, monkeypatch):
    change(30)
    monkeypatch.setattr(services, "BATCH", 7)

    done = services.seal()

    assert done.leaves == count_rows()
    assert Checkpoint.objects.count() > 4
    hashes = [merkle.hash_leaf(bytes.fromhex(leaf.entry)) for leaf in Leaf.objects.order_by("pk")]
    assert signed_head().root == root_of(hashes)


def test_while_another_sealer_works_nothing_is_done(agent, monkeypatch):
    monkeypatch.setattr(services, "_is_the_only_one", lambda: False)

    assert services.seal() == services.Sealed()
    assert not Leaf.objects.exists()


def test_a_row_that_was_committed_late_is_not_missed(agent, change):
    change(3)
    late = agent.history.order_by("pk")[1]
    rows = agent.history.filter(pk=late.pk)
    kept = {field.attname: getattr(late, field.attname) for field in late._meta.concrete_fields}
    rows.delete()
    services.seal()

    type(late).objects.create(**kept)

    assert services.seal(thorough=False).leaves == 1
    assert Leaf.objects.order_by("number").last().row == late.pk


def test_a_row_far_behind_is_found_by_a_thorough_search(agent, change, monkeypatch):
    monkeypatch.setattr(unsealed, "SLACK", 1)
    change(5)
    first = agent.history.order_by("pk").first()
    kept = {field.attname: getattr(first, field.attname) for field in first._meta.concrete_fields}
    agent.history.filter(pk=first.pk).delete()
    services.seal()
    type(first).objects.create(**kept)

    assert services.seal(thorough=False).leaves == 0
    assert services.seal().leaves == 1


def test_after_a_rotation_the_log_goes_on_under_the_new_key(change, settings):
    change()
    services.seal()
    first = keys.note_keys()
    rotate(settings)
    change()

    services.seal()

    last = storage.last_checkpoint()
    new = [key for key in keys.note_keys() if key.key_id not in {old.key_id for old in first}]
    assert len(new) == 1
    checkpoints.verify(last.note, origin=keys.origin(), trusted=new)


@pytest.mark.parametrize("twice", ["number", "row"])
def test_the_database_itself_refuses_a_place_or_a_row_twice(agent, twice):
    services.seal()
    leaf = Leaf.objects.get(number=0)
    values = {"number": 0, "table": "other", "row": 1}
    if twice == "row":
        values = {"number": 10_000, "table": leaf.table, "row": leaf.row}

    with pytest.raises(IntegrityError), transaction.atomic():
        Leaf.objects.create(entry="00" * 32, **values)


def test_a_tile_that_the_database_does_not_hold_is_said(agent):
    services.seal()

    with pytest.raises(tiles.TileError, match="not in the database"):
        storage.read_tiles([Tile(level=0, index=9)])
    with pytest.raises(tiles.TileError, match="holds"):
        storage.read_tiles([Tile(level=1, index=0, width=5)])
