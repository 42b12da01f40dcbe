"""What a person sees of an execution that needs one: unknown, or taken back by the provider."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from audit import clock
from executors import findings, services
from executors.enums import ExecutionStatus as S
from executors.enums import FindingKind
from executors.models import Execution, Finding
from executors.stripe.sandbox.process import RunningSandbox
from tests.browser.conftest import Desk
from tests.executors.stripe.switches import press

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LIST = "/admin/executors/execution/"
FINDINGS = "/admin/executors/finding/"


def run(execution: Execution) -> S:
    services.run(execution_id=execution.pk, worker="host-1:100")
    execution.refresh_from_db()
    return S(execution.status)


@pytest.fixture
def execution(pending_request: Any, approve: Callable[..., Any]) -> Execution:
    approve(pending_request)
    return Execution.objects.get()


@pytest.fixture
def unknown(
    execution: Execution, provider: RunningSandbox, later: Callable[..., None]
) -> Execution:
    press(provider, "faults", [{"match": {"method": "POST"}, "fault": "drop_before"}])
    run(execution)
    later(hours=5)
    assert run(execution) is S.UNKNOWN
    services.reconcile(execution_id=execution.pk, worker="host-1:100")
    return execution


@pytest.fixture
def reversed_one(execution: Execution, provider: RunningSandbox) -> Execution:
    run(execution)
    reference = execution.provider_reference
    press(provider, f"refunds/{reference}/settle", {"status": "failed"})
    services.reconcile(execution_id=execution.pk, worker="host-1:100")
    return execution


def test_an_unknown_outcome_is_read_again(
    desk: Desk, unknown: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(
        "executors.bell.ring_to_reconcile", lambda execution_id: not heard.append(execution_id)
    )
    desk.open("/admin/")
    desk.look("overview-attention")
    desk.press(desk.page.get_by_role("link", name="need a person"))
    desk.look("executions-attention")
    desk.press(desk.page.get_by_role("link", name=unknown.pk))
    expect(desk.page.get_by_text("The outcome is unknown")).to_be_visible()
    desk.look("execution-unknown")

    desk.press(desk.page.get_by_role("link", name="Read it again"))
    desk.look("execution-read-again")
    desk.press(desk.page.get_by_role("button", name="Read it again"))

    expect(desk.page.get_by_text("The money worker is rung.")).to_be_visible()
    assert heard == [unknown.pk]


@pytest.fixture
def finding(db: None) -> Finding:
    return findings.report(
        FindingKind.OUTSIDE_THE_GATE,
        reference="re_3oBg621LizrUyU3m0RK7EPlp",
        message="re_3oBg621LizrUyU3m0RK7EPlp (95.00 USD, succeeded, made 25 Nov 2026 10:12:22 "
        "UTC). No decision of ours is about it.",
        execution=None,
        at=clock.now(),
    )


def test_an_auditor_sees_what_never_passed_the_gate(
    open_window: Callable[..., Desk], auditor: Any, provider: RunningSandbox, finding: Finding
) -> None:
    window = open_window()
    window.sign_in(auditor)
    window.press(window.page.get_by_role("link", name="open findings at the provider"))
    window.look("findings")
    window.press(window.page.get_by_role("link", name=finding.provider_reference))

    expect(window.page.get_by_text("No decision of ours is about it.").first).to_be_visible()
    expect(window.page.get_by_role("link", name="Mark as dealt with")).to_have_count(0)
    window.look("finding-auditor")
    assert window.complaints == []


def test_a_finding_is_dealt_with(desk: Desk, provider: RunningSandbox, finding: Finding) -> None:
    desk.open(f"{FINDINGS}{finding.pk}/change/")
    desk.look("finding")
    deal_with(desk, "finding", "Made by hand for an order by telephone; it is right.")

    desk.look("finding-dealt-with")
    desk.press(desk.page.get_by_role("link", name="History"))
    expect(desk.page.get_by_text("found what the record does not explain")).to_be_visible()
    desk.look("finding-history")
    desk.open(FINDINGS)
    desk.look("findings-dealt-with")


def test_what_was_taken_back_is_dealt_with(desk: Desk, reversed_one: Execution) -> None:
    desk.open(f"{LIST}{reversed_one.pk}/change/")
    expect(
        desk.page.get_by_role("heading", name="The customer does not have the money")
    ).to_be_visible()
    desk.look("execution-reversed")
    deal_with(desk, "execution", "Paid by bank transfer, agreed with the customer on the phone.")

    desk.look("execution-dealt-with")
    desk.open(LIST)
    desk.look("executions-dealt-with")


def deal_with(desk: Desk, what: str, reason: str) -> None:
    """Press the button, give the reason, and see on the page who did it and why."""
    desk.press(desk.page.get_by_role("link", name="Mark as dealt with"))
    desk.look(f"{what}-deal-with")
    desk.page.get_by_label("Your reason").fill(reason)
    desk.press(desk.page.get_by_role("button", name="Mark as dealt with"))

    said = desk.page.get_by_role("region", name="Dealt with")
    expect(said).to_contain_text(re.compile(r"reviewer, \d\d \w{3} \d{4} [\d:]{8} UTC"))
    expect(said).to_contain_text(reason)
    expect(desk.page.get_by_role("link", name="Mark as dealt with")).to_have_count(0)
