"""What a person sees of an execution that needs one: unknown, or taken back by the provider."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from audit import clock
from executors import findings, services
from executors.enums import ExecutionStatus as S
from executors.enums import FindingKind
from executors.models import Execution
from executors.stripe.sandbox.process import RunningSandbox
from tests.browser.conftest import Desk
from tests.executors.stripe.switches import press

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LIST = "/admin/executors/execution/"


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
    desk.page.get_by_role("link", name="need a person").click()
    desk.look("executions-attention")
    desk.page.get_by_role("link", name=unknown.pk).click()
    expect(desk.page.get_by_text("The outcome is unknown")).to_be_visible()
    desk.look("execution-unknown")

    desk.page.get_by_role("link", name="Read it again").click()
    desk.look("execution-read-again")
    desk.page.get_by_role("button", name="Read it again").click()

    expect(desk.page.get_by_text("The money worker is rung.")).to_be_visible()
    assert heard == [unknown.pk]


def test_an_auditor_sees_what_never_passed_the_gate(
    open_window: Callable[..., Desk], auditor: Any, provider: RunningSandbox
) -> None:
    findings.report(
        FindingKind.OUTSIDE_THE_GATE,
        reference="re_3oBg621LizrUyU3m0RK7EPlp",
        message="re_3oBg621LizrUyU3m0RK7EPlp (95.00 USD, succeeded, made 25 Nov 2026 10:12:22 "
        "UTC). No decision of ours is about it.",
        execution=None,
        at=clock.now(),
    )
    window = open_window()
    window.sign_in(auditor)
    window.page.get_by_role("link", name="findings at the provider").click()
    window.look("findings")
    window.page.get_by_role("link", name="re_3oBg621LizrUyU3m0RK7EPlp").click()

    expect(window.page.get_by_text("No decision of ours is about it.")).to_be_visible()
    window.look("finding")
    assert window.complaints == []


def test_what_was_taken_back_says_so(desk: Desk, reversed_one: Execution) -> None:
    desk.open(f"{LIST}{reversed_one.pk}/change/")

    expect(
        desk.page.get_by_role("heading", name="The customer does not have the money")
    ).to_be_visible()
    desk.look("execution-reversed")
