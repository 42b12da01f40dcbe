"""The CSV file of a search: whole, harmless to a spreadsheet, and honest about its end."""

import csv
import io

import pytest
from django.urls import reverse

from approvals.admin.desk import export, results
from tests.approvals.admin.desk.conftest import run

pytestmark = pytest.mark.django_db

EXPORT = reverse("record-export")


def lines(answer) -> list[list[str]]:
    assert answer.streaming
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))


def test_it_has_a_line_for_each_request(pending_request, approve, desk):
    approve(pending_request)
    run(pending_request)

    answer = desk.get(EXPORT, {"person": "reviewer"})

    head, line = lines(answer)
    row = dict(zip(head, line, strict=True))
    assert row["request"] == pending_request.pk
    assert (row["amount_minor"], row["currency"], row["status"]) == ("9500", "usd", "APPROVED")
    assert (row["agent"], row["decided_by"]) == ("billing-agent", "reviewer")
    assert row["execution_status"] == "SUCCEEDED"
    assert row["provider_reference"].startswith("re_")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="requests.csv"'


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_is_a_formula(submit, refund_payload, desk, first):
    said = f'{first}HYPERLINK("http://x","ß")'
    request = submit(refund_payload, reason=said)

    head, line = lines(desk.get(EXPORT, {"agent": "billing-agent"}))

    assert dict(zip(head, line, strict=True))["reason_of_agent"] == f"'{request.reason}"
    assert not any(cell.startswith(export._FORMULA) for cell in line)


def test_nothing_else_is_changed():
    assert [export.harmless(value) for value in ("a=1", 5, None, "", "ß")] == [
        "a=1",
        "5",
        "",
        "",
        "ß",
    ]


def test_it_says_where_it_was_cut(submit, refund_payload, desk, monkeypatch):
    made = [submit(refund_payload | {"amount": 100 + n}).pk for n in range(3)]
    monkeypatch.setattr(export, "MOST_ROWS", 2)

    _, *rows = lines(desk.get(EXPORT, {"agent": "billing-agent"}))

    assert [row[0] for row in rows[:2]] == [made[2], made[1]]
    assert rows[2] == ["Cut after 2 rows: there are more. Narrow the period and export again."]
    monkeypatch.setattr(export, "MOST_ROWS", 3)
    assert len(lines(desk.get(EXPORT, {"agent": "billing-agent"}))) == 4


def test_chunks_make_one_file(submit, refund_payload, desk, monkeypatch):
    made = [submit(refund_payload | {"amount": 100 + n}).pk for n in range(3)]
    monkeypatch.setattr(results, "CHUNK", 2)

    _, *rows = lines(desk.get(EXPORT, {"agent": "billing-agent"}))

    assert [row[0] for row in rows] == made[::-1]


@pytest.mark.parametrize("asked", [{}, {"amount": "much"}])
def test_without_a_good_question_there_is_no_file(desk, asked):
    assert desk.get(EXPORT, asked).status_code == 400


def test_the_page_states_the_limit(pending_request, desk):
    page = desk.get(reverse("record-search"), {"agent": "billing-agent"}).content.decode()

    assert "At most 10000 rows" in page
    assert f'href="{EXPORT}?agent=billing-agent"' in page
