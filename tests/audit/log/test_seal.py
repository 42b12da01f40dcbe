"""The sealer: every row once, in one tree, under one signature; nothing that is not authentic."""

import logging

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Model

from approvals.models import Agent
from audit.errors import DamagedLogError, KeyFileError
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


def alarms(caplog) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == logging.CRITICAL]


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


def test_batches_give_the_same_log_as_one(change, monkeypatch):
    change(30)
    monkeypatch.setattr(services, "BATCH", 7)

    done = services.seal()

    assert done.leaves == count_rows()
    assert Checkpoint.objects.count() > 4
    hashes = [merkle.hash_leaf(bytes.fromhex(leaf.entry)) for leaf in Leaf.objects.order_by("pk")]
    assert signed_head().root == root_of(hashes)


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


FORGERIES = {
    "other bytes": {"canonical": '{"number":1,"subject":"x","table":"y"}'},
    "other hmac": {"hmac": "0" * 64},
    "no hmac": {"hmac": ""},
    "other salt": {"salt": "00" * 32},
    "no bytes": {"canonical": None},
    "no salt": {"salt": None},
    "another subject": {"subject": "agt_other"},
    "another number": {"number": 77},
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_a_row_that_is_not_authentic_is_an_alarm_and_gets_no_leaf(agent, change, caplog, forgery):
    change(2)
    forged = agent.history.order_by("pk")[1]
    agent.history.filter(pk=forged.pk).update(**forgery)

    done = services.seal()

    name = f"{forged._meta.db_table}:{forged.pk}"
    assert done.refused == [name]
    assert done.leaves == count_rows() - 1
    assert not Leaf.objects.filter(table=forged._meta.db_table, row=forged.pk).exists()
    [alarm] = alarms(caplog)
    assert alarm.startswith(f"alarm=record_not_authentic subject={name} 1 rows")


def test_the_alarm_about_a_row_is_raised_once_and_it_keeps_no_other_from_its_turn(
    agent, change, caplog, monkeypatch
):
    monkeypatch.setattr(services, "BATCH", 2)
    change(3)
    agent.history.update(hmac="")
    told: set[str] = set()
    services.seal(told=told)

    change(2)
    done = services.seal(told=told)

    assert (done.leaves, len(done.refused)) == (2, 4)
    assert len(alarms(caplog)) == 1


DAMAGES = {
    "a leaf is gone from the end": lambda: Leaf.objects.order_by("number").last().delete(),
    "a leaf is gone from the middle": lambda: Leaf.objects.filter(number=270).delete(),
    "a leaf was changed": lambda: Leaf.objects.filter(number=270).update(entry="00" * 32),
    "a tile is gone": lambda: LogTile.objects.all().delete(),
    "the root of a tile was changed": lambda: LogTile.objects.update(root="00" * 32),
    "the last checkpoint is gone": lambda: Checkpoint.objects.order_by("size").last().delete(),
    "all checkpoints are gone": lambda: Checkpoint.objects.all().delete(),
    "a checkpoint was changed": lambda: Checkpoint.objects.update(note="x"),
    "a leaf was added": lambda: Leaf.objects.create(
        number=10_000, table="t", row=1, entry="0" * 64
    ),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_log_that_is_not_what_was_signed_is_not_continued(change, damage):
    change(280)
    services.seal()
    damage()
    before = (Leaf.objects.count(), Checkpoint.objects.count())
    change()

    with pytest.raises(DamagedLogError):
        services.seal()

    assert (Leaf.objects.count(), Checkpoint.objects.count()) == before


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


def test_a_log_key_that_nobody_trusts_signs_nothing(change, settings, tmp_path):
    change()
    settings.COUNTERSIGN_TRUSTED_KEYS_FILE = tmp_path / "others.json"
    settings.COUNTERSIGN_LOG_KEY_FILE, own = tmp_path / "other.pem", tmp_path / "log.pem"
    rotate(settings)
    settings.COUNTERSIGN_LOG_KEY_FILE = own

    with pytest.raises(KeyFileError, match="rotate_signing_key --use log"):
        services.seal()

    assert not Leaf.objects.exists()


def test_the_key_that_signs_decisions_signs_no_checkpoint(change, own_keys, settings):
    settings.COUNTERSIGN_LOG_KEY_FILE = settings.COUNTERSIGN_SIGNING_KEY_FILE
    change()

    with pytest.raises(KeyFileError, match="does not trust"):
        services.seal()


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
