"""The five questions of an auditor: the README's clicks exist, and lead to the answers."""

import html
import re
from pathlib import Path

import pytest
from django.urls import reverse

from audit import clock
from executors import findings
from executors.enums import FindingKind
from tests.approvals.admin.desk.conftest import record_of, text_of

pytestmark = pytest.mark.django_db

README = (Path(__file__).resolve().parents[4] / "README.md").read_text()
ANSWERS = README.split("## The five questions of an auditor")[1].split("\n## ")[0]
FINDINGS = reverse("admin:executors_finding_changelist")


@pytest.fixture
def ask(decided, desk):
    """Follow the clicks: search for the payment, open the one request that is found."""

    def _ask(*, verify: bool = False) -> str:
        payment = decided.payload_versions.get().payload["payment_intent"]
        found = text_of(desk.get(reverse("record-search"), {"payment": payment}))
        assert found.count(f'href="{record_of(decided)}"') == 1
        answer = desk.post if verify else desk.get
        return plain(text_of(answer(record_of(decided))))

    return _ask


@pytest.fixture
def finding(decided):
    return findings.report(
        FindingKind.OUTSIDE_THE_GATE,
        reference="re_never_approved",
        message="No decision of ours is about it.",
        execution=None,
        at=clock.now(),
    )


def plain(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def test_there_are_five_each_with_its_answer():
    rows = re.findall(r"^\| ([^|]+\?) \| ([^|]+) \|$", ANSWERS, re.MULTILINE)

    assert len(rows) == 5
    assert all(answer.count("*") >= 2 for _, answer in rows)


def test_every_button_and_sentence_that_is_named_is_on_a_page(ask, desk, finding):
    pages = [plain(text_of(desk.get(page))) for page in ("/admin/", "/admin/record/", FINDINGS)]
    shown = " ".join([*pages, ask()])

    named = re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", ANSWERS)
    assert len(named) > 10
    assert [name for name in named if name not in shown] == []


def test_who_approved_it(ask):
    page = ask()

    assert "The person reviewer voted: to approve" in page
    assert "The person reviewer signed the decision: approved" in page
    assert "Reason: Checked with the courier." in page


def test_what_they_saw(ask, decided):
    page = ask()

    captured = page.split("saw: the provider's facts")[1].split("What person:reviewer saw")[0]
    assert "captured 12000" in captured
    assert "Parcel never arrived." in page.split("saw: the agent's claims")[1]
    assert decided.reviews.get().viewed_sha256 in page


def test_what_was_sent_and_what_was_answered(ask, decided):
    page = ask()

    assert "amount=9500" in page.split("What was sent")[1]
    assert "HTTP 200" in page
    assert "re_" in page.split("What the provider answered")[1]


def test_whether_anything_was_refunded_without_approval(desk, finding):
    page = text_of(desk.get(FINDINGS, {"kind__exact": FindingKind.OUTSIDE_THE_GATE}))

    assert finding.provider_reference in page


def test_whether_the_record_was_changed(ask):
    assert "The record holds." in ask(verify=True)
