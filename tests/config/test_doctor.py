"""``manage.py doctor``: each thing that does not hold is a sentence, and an exit code."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from audit import clock
from audit.guards import grants
from audit.models import VerificationRun
from config import doctor
from tests.support import unguarded

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
SIGNING = "COUNTERSIGN_SIGNING_KEY_FILE"
LOG = "COUNTERSIGN_LOG_KEY_FILE"
TRUSTED = "COUNTERSIGN_TRUSTED_KEYS_FILE"


@pytest.fixture(autouse=True)
def files(settings, tmp_path, monkeypatch):
    """Key files with good modes, that seem to belong to two users; returns them by name."""
    made = {}
    for name, mode in ((SIGNING, 0o600), (LOG, 0o600), (TRUSTED, 0o644)):
        directory = tmp_path / name.lower()
        directory.mkdir(mode=0o755)
        made[name] = directory / "key"
        made[name].touch()
        made[name].chmod(mode)
        setattr(settings, name, made[name])
    owners = {made[SIGNING]: 1001, made[LOG]: 1002}
    honest = doctor._status

    def status(file):
        found = honest(file)
        if found is None or file not in owners:
            return found
        return os.stat_result([*found[:4], owners[file], *found[5:10]])

    monkeypatch.setattr(doctor, "_status", status)
    return made | {"owners": owners}


@pytest.fixture(autouse=True)
def good(monkeypatch):
    """A verification without findings, and, where there are roles, grants that hold."""
    VerificationRun.objects.create(started_at=clock.now(), ended_at=clock.now())
    monkeypatch.setattr(grants, "find_excess", lambda *_, **__: [])


def look() -> dict[str, tuple[bool | None, str]]:
    return {line.about: (line.holds, line.sentence) for line in doctor.examine()}


def bad(about: str) -> str:
    """Return the sentence about the one thing that does not hold."""
    lines = [line for line in doctor.examine() if line.about != "grants"]
    assert [line.about for line in lines if line.holds is False] == [about]
    return next(line.sentence for line in lines if line.about == about)


def test_everything_holds_but_that_sqlite_has_no_roles():
    found = look()

    assert {about for about, (holds, _) in found.items() if not holds} <= {"grants"}
    assert found["grants"][0] is (connection.vendor == "postgresql")
    assert "on all" in found["triggers"][1]
    assert set(found) == {"triggers", "grants", "keys", "verification", SIGNING, LOG, TRUSTED}


def test_a_missing_trigger_is_told():
    unguarded.lift(connection, only=["audit_leaf"])

    assert "on audit_leaf: run `manage.py migrate`" in bad("triggers")


def test_a_database_without_tables_is_told(monkeypatch):
    monkeypatch.setattr(doctor.triggers, "expected", lambda _: [])

    assert "no tables yet" in bad("triggers")


@pytest.mark.postgres
def test_what_the_role_may_beyond_its_work_is_told_and_what_it_lacks(monkeypatch):
    monkeypatch.setattr(grants, "find_excess", lambda *_, **__: ["It may too much."])
    monkeypatch.setattr(grants, "find_lack", lambda *_, **__: ["It may too little."])

    told = [line.sentence for line in doctor.examine() if line.about == "grants"]
    assert told == [
        "It may too much. Run `manage.py harden_database` as the owner.",
        "It may too little. Run `manage.py harden_database` as the owner.",
    ]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
@pytest.mark.parametrize("name", [SIGNING, LOG])
def test_a_private_key_that_others_can_read_is_told(files, name, mode):
    files[name].chmod(mode)

    assert f"(mode {mode:03o}). Use mode 600" in bad(name)


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_trusted_keys_that_others_can_write_are_told(files, mode):
    files[TRUSTED].chmod(mode)

    assert "Whoever changes it says whose signatures count" in bad(TRUSTED)


@pytest.mark.parametrize("name", [SIGNING, LOG, TRUSTED])
def test_a_directory_in_which_others_can_swap_the_file_is_told(files, name):
    files[name].parent.chmod(0o777)
    assert "they can swap it" in bad(name)

    files[name].parent.chmod(0o1777)
    assert look()[name][0] is True, "in one like /tmp nobody can rename what is another's"


@pytest.mark.parametrize(
    ("role", "name"),
    [("money", SIGNING), ("default", SIGNING), ("sealer", SIGNING), ("web", LOG), ("money", LOG)],
)
def test_a_process_that_can_read_the_key_of_another_is_told(settings, files, role, name):
    settings.COUNTERSIGN_ROLE = role

    found = look()
    assert found[name] == (
        False,
        f"The process {role!r} can read {files[name]}. Run it as another user.",
    )
    own = {"web": SIGNING, "sealer": LOG}.get(role)
    assert own is None or found[own][0] is True


@pytest.mark.parametrize("role", ["money", "default", "sealer"])
def test_a_process_that_could_write_the_trusted_keys_is_told(settings, role):
    settings.COUNTERSIGN_ROLE = role

    assert "can write" in look()[TRUSTED][1]


def test_keys_of_the_same_user_are_told(files):
    files["owners"].clear()

    assert "belong to the same user" in bad("keys")


def test_a_key_that_this_user_cannot_see_is_no_finding_but_missing_trusted_keys_are(files):
    files[SIGNING].unlink()
    found = look()
    assert found[SIGNING][0] is None
    assert "keys" not in found

    files[TRUSTED].unlink()
    assert "without it no signature counts" in bad(TRUSTED)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"ended_at": None}, "never verified"),
        ({"problem": "x"}, "not verified to the end"),
        ({"findings": 3}, "had 3 findings"),
    ],
)
def test_a_verification_that_was_not_good_is_told(changes, told):
    VerificationRun.objects.update(**changes)

    assert told in bad("verification")


def test_a_verification_of_long_ago_is_told():
    VerificationRun.objects.update(ended_at=clock.now() - timedelta(days=3))

    assert "Does beat run?" in bad("verification")


def test_the_command_says_each_in_a_line_and_ends_with_a_code(capsys, monkeypatch):
    lines = [
        doctor.Line(about="triggers", holds=True, sentence="They are there."),
        doctor.Line(about="keys", holds=None, sentence="Who knows."),
    ]
    monkeypatch.setattr(doctor, "examine", lambda: iter(lines))
    call_command("doctor")
    assert capsys.readouterr().out.splitlines() == [
        "holds: triggers. They are there.",
        "not seen: keys. Who knows.",
    ]

    lines.append(doctor.Line(about="grants", holds=False, sentence="They are not."))
    for arguments in ([], ["--json"]):
        with pytest.raises(SystemExit) as caught:
            call_command("doctor", *arguments)
        assert caught.value.code == 1
    plain, said = capsys.readouterr().out.rstrip().rsplit("\n", 1)
    assert plain.endswith("DOES NOT HOLD: grants. They are not.")
    assert json.loads(said) == {
        "holds": False,
        "lines": [
            {"about": line.about, "holds": line.holds, "sentence": line.sentence} for line in lines
        ],
    }


@pytest.mark.embedded
def test_a_database_that_is_not_there_is_code_2(tmp_path):
    ended = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path / 'none' / 'db.sqlite3'}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode == 2, ended.stderr
    assert ended.stderr.startswith("CommandError: The database does not answer")
