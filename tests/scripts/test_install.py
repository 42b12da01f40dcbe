"""``scripts/install.py``: what it does, and what it leaves alone; without a network."""

import hashlib
import re
import sys
from pathlib import Path

import pytest

from scripts import install

pytestmark = pytest.mark.embedded

REQUIREMENTS = Path(__file__).resolve().parent.parent.parent / "requirements"
LOCK = "alpha==1.0 \\\n    --hash=sha256:00\nbeta==2.0 \\\n    --hash=sha256:11\n"
#: Stands for every Python: writes down what it is asked for, and fails where it is told to.
FAKE_PYTHON = """#!/bin/sh
echo "$*" >> '{place}/calls'
case "$*" in $(cat '{place}/broken')) echo 'ERROR: It is broken.'; exit 1;; esac
case "$*" in
    "-m venv"*) mkdir -p "$4/bin" && cp "$0" "$4/bin/python";;
    "-m pip"*) echo 'Collecting alpha==1.0'; echo 'Collecting beta==2.0';;
esac
"""


class Place:
    """A clone without its virtual environment."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.venv = root / ".venv"
        self.system_python = root / "system-python"
        self.system_python.write_text(FAKE_PYTHON.format(place=root))
        self.system_python.chmod(0o755)
        self.breaks("nothing")
        (root / "requirements").mkdir()
        for profile in ("runtime", "dev"):
            self.lock(profile, LOCK)

    def lock(self, profile: str, text: str) -> None:
        (self.root / "requirements" / f"{profile}.txt").write_text(text)

    def breaks(self, arguments: str) -> None:
        (self.root / "broken").write_text(arguments)

    def stamp(self, profile: str) -> Path:
        return self.venv / f".installed-{profile}"

    def install(self, profile: str) -> list[str]:
        """Call it; returns what was done: ``venv``, ``pip``."""
        calls = self.root / "calls"
        calls.write_text("")
        install.main(profile)
        return re.findall(r"^-m (\w+)", calls.read_text(), re.MULTILINE)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    place = Place(tmp_path)
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(install, "VENV", place.venv)
    monkeypatch.setattr(install, "PYTHON", place.venv / "bin" / "python")
    monkeypatch.setattr(sys, "executable", str(place.system_python))
    return place


def test_a_fresh_clone_gets_an_environment_and_the_packages(clone, capsys):
    assert clone.install("runtime") == ["venv", "pip"]

    said = capsys.readouterr().out
    assert "Making the virtual environment" in said
    assert "Installing 2 locked packages (runtime)" in said
    assert "2 of 2 found" in said
    assert clone.stamp("runtime").read_text() == hashlib.sha256(LOCK.encode()).hexdigest()
    asked = (clone.root / "calls").read_text()
    assert f"--require-hashes --no-deps -r {clone.root}/requirements/runtime.txt" in asked


@pytest.mark.parametrize("profile", ["runtime", "dev"])
def test_what_is_installed_is_left_alone_without_a_word(clone, capsys, profile):
    clone.install(profile)
    capsys.readouterr()

    assert clone.install(profile) == []
    assert capsys.readouterr().out == ""


def test_a_changed_lock_is_installed_into_the_environment_that_is_there(clone):
    clone.install("runtime")
    clone.lock("runtime", LOCK.replace("2.0", "2.1"))

    assert clone.install("runtime") == ["pip"]
    assert clone.install("runtime") == []


def test_who_has_installed_for_development_can_run_it(clone):
    clone.install("dev")

    assert clone.install("runtime") == []


def test_an_older_development_lock_is_no_proof(clone):
    clone.install("dev")
    clone.lock("dev", LOCK.replace("2.0", "2.1"))

    assert clone.install("runtime") == ["pip"]


def test_who_runs_it_has_not_installed_for_development(clone):
    clone.install("runtime")

    assert clone.install("dev") == ["pip"]


def test_the_development_lock_has_everything_that_runs():
    """Package, version and hashes: all that ``pip`` goes by."""
    runtime, dev = (
        set(re.split(r"\n(?=\S)", re.sub(r"\n +# .*", "", (REQUIREMENTS / name).read_text())))
        for name in ("runtime.txt", "dev.txt")
    )

    assert len(runtime) > 20
    assert {entry.strip() for entry in runtime} <= {entry.strip() for entry in dev}


def test_an_environment_that_died_is_made_anew(clone):
    clone.install("runtime")
    (clone.venv / "bin" / "python").unlink()

    assert clone.install("runtime") == ["venv", "pip"]


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ("-m pip*", r"could not be installed\. .*install\.log ends with: ERROR: It is broken\."),
        ("-m venv*", r"environment could not be made: ERROR: It is broken\."),
        ("-c import ensurepip", r"not complete\. Install it, .*: apt-get install python3\.11-venv"),
    ],
)
def test_what_fails_is_a_sentence_and_leaves_no_stamp(clone, monkeypatch, broken, sentence):
    monkeypatch.setattr(install.os, "geteuid", lambda: 1000)
    clone.breaks(broken)

    with pytest.raises(SystemExit, match=sentence):
        clone.install("runtime")

    assert not clone.stamp("runtime").exists()
    clone.breaks("nothing")
    assert clone.install("runtime")[-1] == "pip"


def test_another_python_is_a_sentence(clone, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 12, 0))

    with pytest.raises(SystemExit, match=r"Python 3\.11 is needed"):
        clone.install("runtime")
