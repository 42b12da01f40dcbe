"""The pages on which a person says that something has been dealt with, and what they show then."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from executors import services, wording
from executors.enums import FindingKind
from executors.models import Execution, Finding
from tests.executors.conftest import report

pytestmark = pytest.mark.django_db

Row = Execution | Finding
REASON = "Paid by bank transfer <today>."


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def browser(reviewer: Any) -> Client:
    return signed_in(reviewer)


def page(name: str, row: Row) -> str:
    return reverse(f"admin:executors_{row._meta.model_name}_{name}", args=[row.pk])


def shown(client: Client, row: Row) -> str:
    return client.get(page("change", row)).content.decode()


def listed(client: Client, model: type[Row], query: str = "") -> list[str]:
    address = reverse(f"admin:executors_{model._meta.model_name}_changelist")
    return [row.pk for row in client.get(address + query).context["cl"].result_list]


@pytest.fixture(params=["reversed_one", "finding"])
def row(request: pytest.FixtureRequest) -> Row:
    """Something that needs a person until it is dealt with."""
    found: Row = request.getfixturevalue(request.param)
    return found


class TestThePage:
    """A GET shows what it does, a POST with a reason does it, once."""

    def test_the_way_there_is_offered(self, browser: Client, row: Row) -> None:
        assert page("deal_with", row) in shown(browser, row)

    def test_looking_changes_nothing(self, browser: Client, row: Row) -> None:
        looked = browser.get(page("deal_with", row))

        row.refresh_from_db()
        assert (looked.status_code, row.dealt_with_at) == (200, None)

    @pytest.mark.parametrize("form", [{}, {"reason": " "}])
    def test_it_asks_for_a_reason(self, browser: Client, row: Row, form: dict[str, str]) -> None:
        answer = browser.post(page("deal_with", row), form)

        row.refresh_from_db()
        assert (answer.status_code, row.dealt_with_at) == (400, None)
        assert "Write a reason." in answer.content.decode()

    def test_afterwards_it_says_who_when_and_why(self, browser: Client, row: Row) -> None:
        done = browser.post(page("deal_with", row), {"reason": REASON}, follow=True)

        assert done.redirect_chain == [(page("change", row), 302)]
        row.refresh_from_db()
        assert row.dealt_with_at is not None
        text = done.content.decode()
        assert f"reviewer, {row.dealt_with_at:%d %b %Y %H:%M:%S} UTC" in text
        assert "Paid by bank transfer &lt;today&gt;." in text
        assert page("deal_with", row) not in text

    def test_a_second_time_keeps_what_was_typed(self, browser: Client, row: Row) -> None:
        browser.post(page("deal_with", row), {"reason": "First."})
        again = browser.post(page("deal_with", row), {"reason": "Second."})

        assert again.status_code == 409
        assert "was dealt with already" in again.content.decode()
        assert "Second.</textarea>" in again.content.decode()

    @pytest.mark.parametrize("who", ["auditor", "admin_user"])
    def test_who_may_only_look_is_refused(
        self, request: pytest.FixtureRequest, row: Row, who: str
    ) -> None:
        client = signed_in(request.getfixturevalue(who))
        answers = [
            client.get(page("deal_with", row)),
            client.post(page("deal_with", row), {"reason": REASON}),
        ]

        row.refresh_from_db()
        assert [answer.status_code for answer in answers] == [403, 403]
        assert row.dealt_with_at is None
        assert page("deal_with", row) not in shown(client, row)

    def test_an_auditor_reads_who_dealt_with_it(
        self, browser: Client, auditor: Any, row: Row
    ) -> None:
        browser.post(page("deal_with", row), {"reason": REASON})

        assert "reviewer, " in shown(signed_in(auditor), row)

    def test_an_outsider_sees_nothing(self, outsider: Any, row: Row) -> None:
        client = signed_in(outsider)

        for name in ("change", "deal_with", "history"):
            assert client.get(page(name, row)).status_code == 403
        assert client.post(page("deal_with", row), {"reason": REASON}).status_code == 403

    def test_no_other_method(self, browser: Client, row: Row) -> None:
        assert browser.put(page("deal_with", row)).status_code == 405

    def test_only_what_needs_it(self, browser: Client, execution: Execution) -> None:
        answer = browser.post(page("deal_with", execution), {"reason": REASON})

        assert answer.status_code == 409
        assert page("deal_with", execution) not in shown(browser, execution)


class TestCounts:
    """Who has been dealt with is counted nowhere as needing a person."""

    def overview(self, client: Client) -> dict[str, int]:
        counts = client.get("/admin/").context["counts"]
        for count in counts:
            changes = client.get(count["link"]).context["cl"]
            assert changes.result_count == count["number"], count["text"]
        return {count["text"]: count["number"] for count in counts}

    def badges(self, client: Client, who: Any) -> dict[str, int | None]:
        from django.test import RequestFactory

        from approvals.admin import site

        request = RequestFactory().get("/admin/")
        request.user = who
        items = [item for group in site.navigation(request) for item in group["items"]]
        wanted = ("Executions", "Findings")
        return {item["title"]: item.get("badge") for item in items if item["title"] in wanted}

    def test_before(
        self, browser: Client, reviewer: Any, reversed_one: Execution, finding: Finding
    ) -> None:
        counts = self.overview(browser)

        assert counts["need a person"] == counts["taken back by the provider"] == 1
        assert counts["open findings at the provider"] == 1
        assert self.badges(browser, reviewer) == {"Executions": 1, "Findings": 1}

    def test_after(
        self, browser: Client, reviewer: Any, reversed_one: Execution, finding: Finding
    ) -> None:
        for row in (reversed_one, finding):
            browser.post(page("deal_with", row), {"reason": REASON})
        counts = self.overview(browser)

        assert counts["need a person"] == counts["taken back by the provider"] == 0
        assert counts["open findings at the provider"] == 0
        assert self.badges(browser, reviewer) == {"Executions": None, "Findings": None}
        assert listed(browser, Execution, "?attention=yes") == []
        assert listed(browser, Execution) == [reversed_one.pk]

    def test_who_sees_no_findings_sees_no_number_of_them(
        self, browser: Client, outsider: Any, finding: Finding
    ) -> None:
        assert self.badges(browser, outsider) == {"Executions": None, "Findings": None}


class TestList:
    """The open findings come first, and each state can be asked for."""

    def test_open_first_and_filtered(
        self, browser: Client, reviewer: Any, finding: Finding, execution: Execution
    ) -> None:
        newer = report(execution)
        services.deal_with_finding(finding_id=newer.pk, user=reviewer, reason=REASON)

        assert listed(browser, Finding) == [finding.pk, newer.pk]
        assert listed(browser, Finding, "?state=open") == [finding.pk]
        assert listed(browser, Finding, "?state=dealt_with") == [newer.pk]

    def test_the_words_say_it(
        self, browser: Client, reviewer: Any, reversed_one: Execution, finding: Finding
    ) -> None:
        executions = reverse("admin:executors_execution_changelist")
        findings = reverse("admin:executors_finding_changelist")
        assert ">Open</span>" in browser.get(findings).content.decode()
        for row in (reversed_one, finding):
            browser.post(page("deal_with", row), {"reason": REASON})

        assert ">Dealt with</span>" in browser.get(findings).content.decode()
        assert "Reversed, dealt with" in browser.get(executions).content.decode()

    def test_a_finding_leads_to_its_execution(self, browser: Client, execution: Execution) -> None:
        text = shown(browser, report(execution))

        assert page("change", execution) in text
        assert wording.advice("DUPLICATE") in text

    def test_every_kind_has_its_advice(self) -> None:
        for kind in FindingKind:
            assert wording.advice(kind)
