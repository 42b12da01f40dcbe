"""What the desk shows of a request whose personal data was erased: who took what, and no error."""

import csv
import io

import pytest
from django.db import connection
from django.urls import reverse

from approvals.models import ApprovalRequest
from audit.log.unsealed import history_models
from audit.models import Leaf
from executors.models import Intent
from tests.approvals.admin.desk.conftest import record_of, text_of
from tests.audit.erasure.conftest import PERSONAL, erase, erased, settled
from tests.audit.log.verification.conftest import sql
from tests.support import unguarded

__all__ = ["erase", "erased", "settled"]

pytestmark = pytest.mark.django_db

TABLE = "approvals_historicalapprovalrequest"
SEARCH, EXPORT = reverse("record-search"), reverse("record-export")


@pytest.fixture
def verify(erased, desk):
    """Press the button, as an auditor, after somebody took the guards away."""
    unguarded.lift(connection)
    return lambda: text_of(desk.post(record_of(erased)))


def checks(page: str) -> tuple[int, int]:
    """Return how many checks were good, and how many bad."""
    return page.count(">✓ "), page.count(">✗ ")


def test_the_record_says_of_each_row_who_erased_it_and_shows_what_was_left(erased, desk):
    page = text_of(desk.get(record_of(erased)))

    assert "What was asked for was erased. Erased by person:admin on 20" in page
    gone = sum(model.objects.filter(canonical=None).count() for model in history_models())
    assert page.count("Erased by person:admin on 20") == gone + 1
    assert "proposed the action" in page
    assert "erased personal data" in page
    assert not any(one in page for one in PERSONAL)


def test_its_record_holds_by_its_leaves_and_by_what_was_left(erased, verify):
    page = verify()

    assert "The record holds." in page
    gone = sum(model.objects.filter(canonical=None).count() for model in history_models())
    assert f"The content of {gone} was erased" in page
    rows = len([leaf for leaf in Leaf.objects.all() if f"leaf {leaf.number}," in page])
    assert checks(page) == (3 * gone + 4 * (rows - gone), 0)
    assert page.count("✓ what was left") == gone


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [
        ("amount_minor = 1", "Its columns are not what was left when it was erased."),
        ("reason = 'Forged.'", "It was erased, and is not empty: reason."),
    ],
)
def test_a_change_of_what_was_left_is_named(verify, assignment, sentence):
    pk = ApprovalRequest.history.order_by("number").last().pk
    sql(f"UPDATE {TABLE} SET {assignment} WHERE history_id = %s", pk)

    page = verify()

    assert "The record does not hold." in page
    assert sentence in page
    assert page.count("✗ what was left") == 1


def test_another_leaf_does_not_lead_to_the_root(verify):
    pk = ApprovalRequest.history.order_by("number").last().pk
    Leaf.objects.filter(table=TABLE, row=pk).update(entry="00" * 32)

    assert "Its leaf does not lead to the root that was signed." in verify()


def test_without_a_genuine_erasure_every_check_of_a_row_fails(verify):
    sql("UPDATE audit_historicalerasure SET hmac = %s", "00" * 32)

    page = verify()

    assert "Its bytes and its salt are gone, and no erasure says so." in page
    assert "Its content is gone, and no erasure says so." in page
    assert "✗ HMAC" in page
    assert "✗ inclusion" in page


@pytest.mark.embedded
@pytest.mark.parametrize("column", ["number", "erased_at", "history_date"])
def test_an_erasure_that_cannot_be_read_stops_nothing(erased, verify, desk, column):
    sql(f"UPDATE audit_historicalerasure SET {column} = 'nonsense'")

    assert "The record does not hold." in verify()
    assert desk.get(record_of(erased)).status_code == 200


def test_the_search_finds_it_by_what_is_left(erased, desk):
    for asked in ({"person": "reviewer"}, {"amount": "9500"}, {"status": "APPROVED"}):
        page = text_of(desk.get(SEARCH, asked))
        assert "What was asked for was erased." in page
        assert erased.pk in page
    assert "Nothing matches" in text_of(desk.get(SEARCH, {"customer": "cus_1"}))


def test_the_file_of_a_search_says_what_was_erased(erased, desk):
    answer = desk.get(EXPORT, {"person": "reviewer"})

    head, line = csv.reader(io.StringIO(b"".join(answer.streaming_content).decode()))
    row = dict(zip(head, line, strict=True))
    assert (row["request"], row["amount_minor"]) == (erased.pk, "9500")
    assert {row[name] for name in ("payment", "customer", "reason_of_agent")} == {"(erased)"}


def test_the_bare_page_leads_to_the_record(erased, desk):
    page = desk.get(reverse("admin:approvals_approvalrequest_change", args=[erased.pk]))

    assert f'href="{record_of(erased)}"' in text_of(page)


def test_a_body_that_is_gone_breaks_no_page(decided, desk):
    Intent.objects.update(body=None)

    assert "What was sent was erased." in text_of(desk.get(record_of(decided)))
