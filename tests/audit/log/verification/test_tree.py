"""The tree from its leaves: their numbers, what was signed, and an older copy of it."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import clock
from audit.anchoring import services as anchoring
from audit.anchoring.file import FileTarget
from audit.errors import KeyFileError, NoteError
from audit.log import checkpoints, keys, notes, services
from audit.log.checkpoints import TreeHead
from audit.log.verification import heads, pages, rows
from audit.log.verification.findings import Tally
from audit.log.verification.run import verify
from audit.models import Checkpoint, Leaf
from tests.audit.log.conftest import rotate
from tests.audit.log.verification.conftest import found, kinds, sql

pytestmark = pytest.mark.django_db


@pytest.fixture
def sizes(sealed):
    """The sizes of four checkpoints, the smallest first."""
    for _ in range(3):
        sealed(2)
    return list(Checkpoint.objects.order_by("size").values_list("size", flat=True))


def note_of(size: int) -> str:
    return Checkpoint.objects.get(size=size).note


def test_every_checkpoint_and_every_older_copy_of_an_honest_log_agrees(sizes, monkeypatch):
    monkeypatch.setattr(pages, "PAGE", 3)
    for size in sizes:
        tally = Tally()
        assert list(verify(tally, since=note_of(size))) == []
        assert (tally.size, tally.leaves, tally.checkpoints) == (sizes[-1], sizes[-1], 4)


def test_the_file_of_an_anchor_is_taken_with_all_its_notes(sealed, tmp_path):
    target = FileTarget(tmp_path / "notes.txt")
    for _ in range(3):
        anchoring.copy_new(target)
        sealed()
    text = (tmp_path / "notes.txt").read_text()
    kept = Checkpoint.objects.order_by("size").values_list("note", flat=True)[:3]

    assert notes.split_notes(text) == list(kept)
    assert found(since=text) == []


def test_of_many_copies_in_one_file_the_first_that_does_not_agree_is_named(sizes, settings):
    other = TreeHead(origin=keys.origin(), size=sizes[1], root=bytes(32))
    longer = TreeHead(origin=keys.origin(), size=sizes[-1] + 1, root=bytes(32))
    key = keys.signing_key(clock.now())
    forked = [checkpoints.sign(head, key) for head in (other, other, longer)]
    later = checkpoints.sign(TreeHead(origin=keys.origin(), size=sizes[2], root=bytes(32)), key)

    assert found(since="".join([note_of(sizes[0]), *forked, note_of(sizes[1]), later])) == [
        f"fork audit_checkpoint:{longer.size} The log is shorter than the copy of it.",
        f"fork audit_checkpoint:{sizes[1]} The log does not begin with what the copy of it says "
        "was signed.",
        f"fork audit_checkpoint:{sizes[1]} 1 later copies do not agree either.",
    ]


def test_every_note_of_a_file_must_be_good(sizes):
    with pytest.raises(NoteError):
        found(since=note_of(sizes[0]) + "rubble\n" + note_of(sizes[1]))


def test_checkpoints_of_an_earlier_key_count(sizes, sealed, settings):
    rotate(settings)
    sealed()

    assert found(since=note_of(sizes[0])) == []


def test_a_record_of_which_nothing_was_sealed_has_no_findings(log_key, agent, monkeypatch):
    # What the migrations wrote is as old as the whole run.
    monkeypatch.setattr(rows, "PATIENCE", timedelta(days=1))

    assert found() == []


@pytest.mark.parametrize("missing", [1, 2])
def test_missing_leaves_are_named(sizes, missing):
    first = sizes[1]
    for number in range(first, first + missing):
        sql("DELETE FROM audit_leaf WHERE number = %s", number)

    lines = found()
    which = f"Leaf {first} is" if missing == 1 else f"Leaves {first} to {first + 1} are"
    assert f"gap audit_leaf:{first} {which} missing." in lines
    why = "Its root cannot be made again: leaves are missing."
    assert f"root audit_checkpoint:{sizes[2]} {why}" in lines
    assert f"root audit_checkpoint:{sizes[2]} 1 later checkpoints do not agree either." in lines


def test_a_log_without_its_tail_is_found(sizes):
    sql("DELETE FROM audit_leaf WHERE number = %s", sizes[-1] - 1)

    assert f"gap audit_leaf:{sizes[-1] - 1} Leaf {sizes[-1] - 1} is missing." in found()


def test_a_changed_leaf_is_between_the_last_root_that_agrees_and_the_first_that_does_not(sizes):
    sql("UPDATE audit_leaf SET entry = %s WHERE number = %s", "00" * 32, sizes[1] + 1)

    why = f"Of leaves {sizes[1]} to {sizes[2] - 1} one at least is not what was signed."
    assert f"root audit_checkpoint:{sizes[2]} {why}" in found()


@pytest.mark.parametrize("entry", ["no digest", "00", "", "zz" * 32])
def test_a_leaf_without_a_digest_is_named(sizes, entry):
    sql("UPDATE audit_leaf SET entry = %s WHERE number = %s", entry, sizes[0])

    lines = found()
    assert f"leaf audit_leaf:{sizes[0]} Its entry is no digest." in lines
    assert f"root audit_checkpoint:{sizes[1]}" in kinds(lines)


def test_two_leaves_that_changed_places_are_found(sizes):
    one, other = Leaf.objects.filter(number__in=[0, 1]).order_by("number")
    for number, entry in ((0, other.entry), (1, one.entry)):
        sql("UPDATE audit_leaf SET entry = %s WHERE number = %s", entry, number)

    assert f"root audit_checkpoint:{sizes[0]}" in kinds(found())


def test_a_leaf_that_nobody_signed_is_found(sizes):
    sql("DELETE FROM audit_checkpoint WHERE size = %s", sizes[-1])

    numbers = range(sizes[-2], sizes[-1])
    assert found() == [
        f"unsigned audit_leaf:{number} It is beyond what was signed." for number in numbers
    ]


def test_without_any_checkpoint_every_leaf_is_one_that_nobody_signed(sealed):
    Checkpoint.objects.all().delete()

    assert len(found()) == Leaf.objects.count()


@pytest.mark.parametrize("which", [0, -1])
def test_a_checkpoint_of_another_key_is_found(sizes, which):
    head = TreeHead(origin=keys.origin(), size=sizes[which], root=bytes(32))
    forged = checkpoints.sign(head, Ed25519PrivateKey.generate())
    sql("UPDATE audit_checkpoint SET note = %s WHERE size = %s", forged, head.size)

    line = f"signature audit_checkpoint:{head.size} No trusted key signed this note."
    assert line in found()


def test_a_forged_size_is_told_and_believed_in_nothing(sizes, monkeypatch):
    """Nobody counts up to it."""
    monkeypatch.setattr(heads, "_SOME", 1)
    for size in (2**62, 2**62 + 1):
        Checkpoint.objects.create(
            size=size, root="00" * 32, note=note_of(sizes[0]), signed_at="2026-01-01T00:00:00Z"
        )

    what = "Its columns are not what was signed."
    assert found() == [f"columns audit_checkpoint:{s} {what}" for s in (2**62, 2**62 + 1)]


@pytest.mark.parametrize(("column", "value"), [("root", "00" * 32), ("size", 1)])
def test_columns_that_are_not_those_of_the_note_are_found(sizes, column, value):
    sql(f"UPDATE audit_checkpoint SET {column} = %s WHERE size = %s", value, sizes[1])

    size = value if column == "size" else sizes[1]
    assert found() == [f"columns audit_checkpoint:{size} Its columns are not what was signed."]


def test_a_fork_that_has_the_log_key_is_shown_by_a_copy_from_outside(sizes, sealed):
    """Everything is deleted and sealed anew, in another order: consistent in itself."""
    copy = note_of(sizes[0])
    first = Leaf.objects.get(number=0)
    tables = Leaf.objects.exclude(table=first.table).exists()
    assert tables
    Leaf.objects.all().delete()
    Checkpoint.objects.all().delete()
    original = services.Search.next

    def backwards(search, limit):
        return original(search, limit)[::-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services.Search, "next", backwards)
        services.seal()

    assert found() == []
    why = "The log does not begin with what the copy of it says was signed."
    assert found(since=copy) == [f"fork audit_checkpoint:{sizes[0]} {why}"]


def test_a_log_that_is_shorter_than_the_copy_is_found(sizes):
    copy = note_of(sizes[-1])
    Leaf.objects.filter(number__gte=sizes[-2]).delete()
    Checkpoint.objects.filter(size=sizes[-1]).delete()

    line = f"fork audit_checkpoint:{sizes[-1]} The log is shorter than the copy of it."
    assert line in found(since=copy)


def test_a_copy_is_not_consistent_with_a_log_that_has_lost_leaves_before_it(sizes):
    sql("DELETE FROM audit_leaf WHERE number = 0")

    assert f"fork audit_checkpoint:{sizes[1]}" in kinds(found(since=note_of(sizes[1])))


def test_a_copy_that_nobody_signed_verifies_nothing(sizes):
    with pytest.raises(NoteError):
        found(since=note_of(sizes[0]).replace(f"\n{sizes[0]}\n", "\n1\n"))


def test_without_trusted_keys_nothing_is_verified(sizes, settings, tmp_path):
    settings.COUNTERSIGN_TRUSTED_KEYS_FILE = tmp_path / "none.json"

    with pytest.raises(KeyFileError):
        found()


def test_what_is_sealed_meanwhile_is_no_finding(sizes, sealed):
    """The sealer goes on during a verification, which may be long."""
    run = verify(Tally(advance=lambda steps: sealed()))

    assert list(run) == []
