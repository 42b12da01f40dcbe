"""``manage.py verify_record``: what it prints, and with which code it ends."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command, load_command_class
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.models import Agent
from audit.log.verification import run
from audit.models import Checkpoint, Leaf
from tests.audit.log.conftest import change, log_key  # noqa: F401 - the stage of the log
from tests.audit.log.verification.conftest import sealed, sql  # noqa: F401

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
TABLE = "approvals_historicalagent"


@pytest.fixture
def verify(sealed, capsys):  # noqa: F811
    """Call it; returns the exit code and the lines that it printed."""

    def call(*arguments):
        try:
            call_command("verify_record", *arguments)
        except SystemExit as end:
            return end.code, capsys.readouterr().out.splitlines()
        return 0, capsys.readouterr().out.splitlines()

    return call


def tamper() -> int:
    row = Agent.history.order_by("pk")[1]
    sql(f"UPDATE {TABLE} SET actor = 'user:9 mallory' WHERE history_id = %s", row.pk)
    return row.pk


def test_a_good_record_is_one_sentence_and_nothing_else(verify):
    code, [sentence] = verify()

    assert code == 0
    leaves = Leaf.objects.count()
    assert sentence.startswith(
        f"No findings in {leaves} history rows (0 wait for their leaf), "
        f"{leaves} leaves of a log of {leaves}, 1 checkpoints, "
    )


def test_a_finding_is_a_line_and_the_code_is_1(verify):
    pk = tamper()

    code, [line, sentence] = verify()

    assert code == 1
    assert line == f"columns {TABLE}:{pk} Its columns and its bytes differ: actor."
    assert sentence.startswith("1 finding in ")


def test_json_is_a_line_for_each_finding_and_one_for_what_was_looked_at(verify):
    pk = tamper()

    code, lines = verify("--json")

    finding, seen = map(json.loads, lines)
    assert code == 1
    assert finding == {
        "kind": "columns",
        "table": TABLE,
        "row": str(pk),
        "sentence": "Its columns and its bytes differ: actor.",
    }
    assert set(seen) == {
        *("rows", "waiting", "leaves", "checkpoints", "subjects", "current", "tokens"),
        *("size", "findings", "erased"),
    }
    assert (seen["findings"], seen["leaves"]) == (1, seen["size"])


def test_an_older_copy_is_compared(verify, tmp_path):
    copy = tmp_path / "checkpoint"
    copy.write_text(Checkpoint.objects.get().note)
    size = Checkpoint.objects.get().size
    assert verify("--since", str(copy))[0] == 0

    Checkpoint.objects.all().delete()
    Leaf.objects.all().delete()

    code, lines = verify("--since", str(copy))
    assert code == 1
    assert f"fork audit_checkpoint:{size} The log is shorter than the copy of it." in lines


@pytest.mark.parametrize("content", [None, b"no checkpoint", b"\xff"])
def test_a_copy_that_cannot_be_read_or_believed_is_code_2(verify, tmp_path, content):
    copy = tmp_path / "checkpoint"
    if content is not None:
        copy.write_bytes(content)

    with pytest.raises(CommandError, match=r"^The record was not verified, or not") as caught:
        verify("--since", str(copy))
    assert caught.value.returncode == 2


def test_whatever_stops_it_on_the_way_is_code_2_though_there_were_findings(
    verify, monkeypatch, capsys
):
    pk = tamper()

    def fail(*_):
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(run.tree, "check_tree", fail)

    with pytest.raises(CommandError, match="a fault of ours") as caught:
        verify()
    assert caught.value.returncode == 2
    assert f"{TABLE}:{pk}" in capsys.readouterr().out


def test_nothing_in_the_database_steers_a_terminal(verify):
    tamper()
    sql('UPDATE audit_leaf SET "table" = %s WHERE number = 0', "\x1b[2J\nfine")

    _, lines = verify()

    assert any(line.startswith("missing U+001B[2JU+000Afine:") for line in lines)


def test_a_terminal_sees_how_far_it_is(verify, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    verify()

    assert "100 %" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K"), "the last sentence has the line for itself"


def test_it_changes_nothing(verify):
    tamper()
    with CaptureQueriesContext(
        connection,
    ) as seen:
        verify()

    assert seen.captured_queries
    assert {one["sql"].split(" ")[0] for one in seen.captured_queries} == {"SELECT"}
    assert not [one for one in seen.captured_queries if "FOR UPDATE" in one["sql"]]


def test_the_help_and_the_page_tell_every_code_and_every_kind():
    said = load_command_class("audit", "verify_record").help
    page = (ROOT / "docs" / "log.md").read_text()

    for code in ("0, all is good", "1, there are findings", "2, it could not be verified"):
        assert code in said
    for code in (0, 1, 2):
        assert f"| {code} |" in page
    for kind in _kinds():
        assert f"| `{kind}` |" in page, kind


def _kinds() -> set[str]:
    folder = ROOT / "audit" / "log" / "verification"
    files = [*folder.glob("*.py"), *ROOT.glob("*/proof.py")]
    source = "\n".join(path.read_text() for path in files)
    return set(re.findall(r'(?:kind=|yield |finding\(\s*)"(\w+)"', source))


@pytest.mark.embedded
def test_a_database_that_is_not_there_is_code_2(tmp_path):
    ended = subprocess.run(
        [sys.executable, "manage.py", "verify_record"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path / 'none' / 'db.sqlite3'}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode == 2, ended.stderr
    assert ended.stderr.startswith("CommandError: The record was not verified")
