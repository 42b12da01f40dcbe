"""The file of an anchor: one signed note after another, whole and durable."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.anchoring import file
from audit.anchoring.file import FileTarget
from audit.errors import AnchorError
from audit.log import notes

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


def note(number: int) -> str:
    return notes.sign(f"urn:test\n{number}\nroot\n", name="urn:test", key=KEY)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "notes.txt"


def test_it_holds_one_note_after_another(path):
    for number in (1, 2, 12):
        FileTarget(path).copy(note(number))

    assert notes.split_notes(path.read_text()) == [note(1), note(2), note(12)]


def test_what_a_crash_let_be_copied_again_is_in_it_once(path):
    FileTarget(path).copy(note(1))
    FileTarget(path).copy(note(12))
    FileTarget(path).copy(note(12))

    assert notes.split_notes(path.read_text()) == [note(1), note(12)]


def test_each_copy_and_the_name_of_a_new_file_are_on_the_disk(path, monkeypatch):
    synced = []
    monkeypatch.setattr(file.os, "fsync", lambda number: synced.append(os.fstat(number).st_ino))

    FileTarget(path).copy(note(1))
    FileTarget(path).copy(note(2))

    inode, folder = path.stat().st_ino, path.parent.stat().st_ino
    assert synced == [inode, folder, inode]


def test_nothing_is_written_behind_half_a_note(path):
    path.write_text(note(1) + note(2)[:-5])
    before = path.read_text()

    with pytest.raises(AnchorError, match="ends with half a note"):
        FileTarget(path).copy(note(2))
    assert path.read_text() == before


def test_a_disk_that_does_not_take_it_is_a_sentence(tmp_path):
    with pytest.raises(AnchorError, match="cannot be written: No such file or directory"):
        FileTarget(tmp_path / "none" / "notes.txt").copy(note(1))


def test_a_start_looks_for_the_directory_and_whether_it_is_one(tmp_path):
    FileTarget(tmp_path / "notes.txt").check()
    assert not (tmp_path / "notes.txt").exists(), "looking writes nothing"

    with pytest.raises(AnchorError, match=r"there is no directory .*none\. Make it"):
        FileTarget(tmp_path / "none" / "notes.txt").check()
    with pytest.raises(AnchorError, match="is a directory"):
        FileTarget(tmp_path).check()


def test_a_start_looks_whether_it_may_write(path, monkeypatch):
    monkeypatch.setattr(file.os, "access", lambda *_: False)

    with pytest.raises(AnchorError, match="this process cannot write"):
        FileTarget(path).check()
