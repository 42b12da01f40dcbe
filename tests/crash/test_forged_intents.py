"""Somebody writes into the table of what will be sent: it does not leave, and there is an alarm."""

import logging
from typing import Any

import pytest

from audit import clock
from executors import services
from executors.enums import ExecutionStatus as S
from executors.models import Execution, Intent
from tests.crash.recovering import by_both
from tests.crash.stage import Stage, fresh
from tests.crash.test_answers import once

FORGERIES: dict[str, dict[str, Any]] = {
    "another amount": {"body": "amount=9999"},
    "another key": {"idempotency_key": "cs_evil"},
    "another account": {"account": "acct_other"},
    "another mode": {"livemode": True},
    "another provider": {"provider_kind": "other"},
    "another path": {"path": "/v1/payouts"},
}


def forged(intent: Intent, changes: dict[str, Any]) -> dict[str, Any]:
    """The changes, with the body as the forger would write it: only the amount differs."""
    if "body" not in changes:
        return changes
    return {"body": intent.body.replace("amount=9500", changes["body"])}


@pytest.mark.parametrize("name", FORGERIES)
def test_what_was_changed_before_anything_left_is_refused(
    name: str, stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    execution = stage.decide(stage.pay())
    stage.worker(execution.pk, at="intent:committed").wait()
    changes = forged(execution.intent, FORGERIES[name])
    Intent.objects.filter(pk=execution.pk).update(**changes)
    stage.pass_time(fresh([execution]))

    with caplog.at_level(logging.CRITICAL, logger="countersign.alarm"):
        services.run(execution_id=execution.pk, worker="here")

    [after] = fresh([execution])
    assert (after.status, after.error_code) == (S.REFUSED, "intent_mismatch")
    assert f"alarm=intent_mismatch subject={execution.pk}" in caplog.text
    assert stage.refunds() == []


def test_what_was_written_before_the_claim_is_refused(stage: Stage) -> None:
    execution = stage.decide(stage.pay(), amount=100)
    write_for(execution, amount=9999)

    stage.worker(execution.pk).wait()

    [after] = fresh([execution])
    assert (after.status, after.error_code) == (S.REFUSED, "intent_mismatch")
    assert stage.refunds() == []


@pytest.mark.parametrize(("fault", "paid"), [("drop_before", 0), ("drop_after", 1)])
def test_what_was_changed_between_two_tries_is_unknown(fault: str, paid: int, stage: Stage) -> None:
    execution = stage.decide(stage.pay())
    stage.script(once(fault))
    stage.worker(execution.pk).wait()
    changes = forged(execution.intent, FORGERIES["another amount"])
    Intent.objects.filter(pk=execution.pk).update(**changes)
    stage.pass_time(fresh([execution]))

    stage.worker(execution.pk).wait()

    [unknown] = fresh([execution])
    assert (unknown.status, unknown.error_code) == (S.UNKNOWN, "intent_mismatch")
    by_both(stage, [execution])
    [after] = fresh([execution])
    assert after.status == (S.SUCCEEDED if paid else S.FAILED)
    assert [refund["amount"] for refund in stage.refunds()] == [9500] * paid


def write_for(execution: Execution, amount: int) -> None:
    """Write down, ahead of the worker, what nobody decided."""
    Intent.objects.create(
        execution=execution,
        idempotency_key=f"cs_{execution.jti}",
        method="POST",
        path="/v1/refunds",
        body=f"payment_intent=pi_1&amount={amount}",
        provider_kind="stripe-local",
        account="acct_1",
        livemode=False,
        api_version="2026-10-28.endive",
        created_at=clock.now(),
    )
