"""A zip in any other form than the one is refused, though others would read it."""

import io
import zipfile

import pytest

from audit import verifier
from tests.audit.evidence.forging import Forger, golden, wrong

pytestmark = pytest.mark.embedded


def packed(change=None, *, members=None, comment=b"", compression=zipfile.ZIP_STORED):
    """Pack the members as another program would, after ``change`` was made to each entry."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression=compression) as archive:
        for name, data in (members or verifier.unpack(golden("changed"))).items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            entry.compress_type = compression
            if change is not None:
                change(entry)
            archive.writestr(entry, data)
        archive.comment = comment
    return file.getvalue()


def setting(**values):
    def change(entry):
        for name, value in values.items():
            setattr(entry, name, value)

    return change


def test_the_one_form_is_taken():
    assert packed() == golden("changed")


@pytest.mark.parametrize(
    "values",
    [
        {"date_time": (1980, 1, 1, 0, 0, 2)},
        {"comment": b"x"},
        {"extra": b"\x01\x00\x01\x00x"},
        {"create_system": 0},
        {"create_version": 45},
        {"extract_version": 45},
        {"external_attr": 0o755 << 16},
        {"internal_attr": 1},
    ],
    ids=lambda values: next(iter(values)),
)
def test_what_an_entry_may_say_otherwise_is_refused(values):
    assert wrong(packed(setting(**values)))


def test_a_comment_is_refused():
    assert wrong(packed(comment=b"x")) != []


def test_compression_is_refused():
    assert wrong(packed(compression=zipfile.ZIP_DEFLATED))


def test_another_order_is_refused():
    members = dict(reversed(verifier.unpack(golden("changed")).items()))

    assert "the member is out of order, or there twice" in wrong(packed(members=members))[0]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused():
    file = io.BytesIO(golden("changed"))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(zipfile.ZipInfo("verifier.py", date_time=(1980, 1, 1, 0, 0, 0)), b"x")

    assert "verifier.py: the member is out of order, or there twice" in wrong(file.getvalue())[0]


@pytest.mark.parametrize("name", sorted(verifier.NEEDED))
def test_a_member_that_is_missing_is_named(name):
    forger = Forger()
    del forger.members[name]

    assert wrong(forger.pack()) == [f"zip: members are missing, or of another kind: {name}"]


@pytest.mark.parametrize("name", ["decision.jwt", "verifier.py"])
def test_a_member_that_the_manifest_has_is_missed(name):
    forger = Forger()
    del forger.members[name]

    assert wrong(forger.pack())[0] == f"{name}: this member is not the one that the manifest has"


@pytest.mark.parametrize("name", ["x", "INDEX.HTML", "../index.html", "caf\u00e9"])
def test_a_member_of_another_name_is_refused(name):
    forger = Forger()
    forger.members[name] = b""

    assert "zip: a member at byte" in wrong(forger.pack())[0]


def test_a_file_without_members_is_refused():
    assert "members are missing" in wrong(packed(members={"checkpoint": b""}))[0]
    assert wrong(b"PK\x05\x06" + bytes(18))


def test_a_file_that_is_too_large_is_not_read(monkeypatch):
    monkeypatch.setattr(verifier, "MOST_BYTES", 1000)

    assert wrong(golden("changed")) == ["zip: it is too large"]
