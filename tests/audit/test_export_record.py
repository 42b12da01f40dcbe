"""``manage.py export_record``: a period as JSON Lines, and the check on the page."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from approvals.models import Agent
from audit import clock
from audit.evidence.export import Period, count_steps
from audit.history import stamp
from audit.log import keys, services
from audit.models import Leaf
from tests.audit.log.conftest import change, log_key  # noqa: F401 - the stage of the log
from tests.audit.log.verification.conftest import sealed, sql  # noqa: F401

pytestmark = pytest.mark.django_db

PAGE = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text()
ALWAYS = ("--from", "2000-01-01T00:00Z", "--until", "2100-01-01T00:00Z")


@pytest.fixture
def path(sealed, tmp_path):  # noqa: F811
    return tmp_path / "export.jsonl"


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def check(path: Path) -> "subprocess.CompletedProcess[str]":
    """Run the program that is on the page."""
    [program] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    key = keys.note_keys()[-1].text
    return subprocess.run(
        [sys.executable, "-I", "-c", program, str(path), key],
        capture_output=True,
        text=True,
        check=False,
    )


def export(path: Path, *period: str) -> None:
    call_command("export_record", *(period or ALWAYS), "-o", str(path))


def test_every_row_is_in_it_in_the_order_of_the_leaves_and_proves_itself(path):
    export(path)

    head, *rows, last = lines(path)
    assert (head["format"], head["version"]) == ("countersign-export", 1)
    assert [row["leaf"] for row in rows] == list(range(Leaf.objects.count()))
    assert last == {"rows": len(rows)}
    said = check(path)
    assert said.stdout == f"{len(rows)} rows are in the log of {len(rows)} leaves.\n", said.stderr


def test_the_same_record_gives_the_same_file_also_later(path, sealed):  # noqa: F811
    end = ("--from", "2000-01-01T00:00Z", "--until", stamp(clock.now()))
    export(path, *end)
    first = path.read_bytes()
    sealed(5)

    export(path, *end)

    assert path.read_bytes() == first


def test_only_the_rows_of_the_period_are_in_it(path, sealed):  # noqa: F811
    start, before = clock.now(), Leaf.objects.count()
    sealed(3)
    end = clock.now()
    sealed(2)

    export(path, "--from", stamp(start), "--until", stamp(end))

    assert [row["leaf"] for row in lines(path)[1:-1]] == [before, before + 1, before + 2]
    assert check(path).returncode == 0


def test_a_leaf_between_that_is_of_another_time_is_left_out(path, sealed):  # noqa: F811
    start, before = clock.now(), Leaf.objects.count()
    sealed(3)
    end = clock.now()
    between = Leaf.objects.get(number=before + 1)
    old = f"UPDATE {between.table} SET history_date = '2001-01-01 00:00:00+00:00'"
    sql(f"{old} WHERE history_id = {between.row}")

    export(path, "--from", stamp(start), "--until", stamp(end))

    assert [row["leaf"] for row in lines(path)[1:-1]] == [before, before + 2]
    assert count_steps(Period(start=start, end=end)) == 3


@pytest.mark.parametrize("member", ["bytes", "salt", "leaf", "proof", "checkpoint", "rows"])
def test_the_program_on_the_page_finds_every_change(path, member):
    export(path)
    head, *rows, last = lines(path)
    row = rows[2]
    if member == "checkpoint":
        head["checkpoint"] = head["checkpoint"].replace("\n", "\n1", 1)
    elif member == "rows":
        rows.pop()
    elif member == "leaf":
        row["leaf"] += 1
    elif member == "proof":
        row["proof"] = row["proof"][:-1]
    else:
        row[member] = row[member][:-1] + ("0" if row[member][-1] != "0" else "1")
    path.write_text("".join(json.dumps(one) + "\n" for one in (head, *rows, last)))

    assert check(path).returncode == 1


def test_a_row_without_its_bytes_has_the_entry_that_was_sealed(path):
    row = Agent.history.order_by("pk")[1]
    sql(
        "UPDATE approvals_historicalagent SET canonical = NULL, salt = NULL WHERE history_id = %s",
        row.pk,
    )

    export(path)

    [erased] = [one for one in lines(path)[1:-1] if "entry" in one]
    assert erased["row"] == row.pk and "bytes" not in erased and "salt" not in erased
    assert check(path).returncode == 0


def test_what_is_not_sealed_or_not_what_was_sealed_is_code_3_and_no_file(
    path,
    change,  # noqa: F811
):
    change()
    _refused(path, "1 rows of approvals_historicalagent are not sealed yet")
    services.seal()
    row = Agent.history.order_by("pk")[1]
    sql("UPDATE approvals_historicalagent SET canonical = %s WHERE history_id = %s", "{}", row.pk)
    _refused(path, f"Row {row.pk} of approvals_historicalagent is not what was sealed")
    empty = ("--from", "2001-01-01T00:00Z", "--until", "2001-02-01T00:00Z")
    _refused(path, "Nothing was recorded", *empty)


def _refused(path: Path, why: str, *period: str) -> None:
    with pytest.raises(CommandError, match=why) as caught:
        export(path, *period)
    assert caught.value.returncode == 3
    assert list(path.parent.glob("*export*")) == []
