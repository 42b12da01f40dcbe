"""The checker can fail: each way in which three ledgers may disagree is told."""

from collections.abc import Callable
from typing import Any

import pytest

from audit import clock
from executors.enums import ExecutionStatus as S
from executors.models import Attempt, Execution
from tests.crash.ledgers import problems
from tests.crash.stage import Stage, fresh

Ledger = dict[str, Any]


@pytest.fixture
def told(stage: Stage) -> tuple[Ledger, Execution]:
    """One refund that went well, as the local Stripe and we tell it."""
    execution = stage.decide(stage.pay())
    stage.worker(execution.pk).wait()
    [execution] = fresh([execution])
    ledger = stage.ledger()
    assert problems(ledger, [execution]) == []
    return ledger, execution


def refunds(ledger: Ledger) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = ledger["payments"][0]["refunds"]
    return listed


PAID_WRONGLY: dict[str, tuple[Callable[[list[dict[str, Any]]], object], str]] = {
    "twice": (lambda paid: paid.append(paid[0] | {"id": "re_2"}), "2 refunds of one decision"),
    "never": (lambda paid: paid.clear(), "SUCCEEDED with 0 refunds"),
    "another amount": (lambda paid: paid[0].update(amount=1), "is not what was decided"),
    "another payment": (
        lambda paid: paid[0].update(payment_intent="pi_1"),
        "is not what was decided",
    ),
    "another key": (lambda paid: paid[0].update(idempotency_key="k"), "was made under the key k"),
    "another object": (lambda paid: paid[0].update(id="re_2"), "the receipt is about"),
    "without a decision": (
        lambda paid: paid.append(paid[0] | {"id": "re_2", "metadata": {}}),
        "re_2 has no decision",
    ),
    "came back": (lambda paid: paid[0].update(status="failed"), "SUCCEEDED with 0 refunds"),
}


@pytest.mark.parametrize("name", PAID_WRONGLY)
def test_what_the_provider_paid_wrongly_is_told(name: str, told: tuple[Ledger, Execution]) -> None:
    ledger, execution = told
    spoil, sentence = PAID_WRONGLY[name]
    spoil(refunds(ledger))

    assert sentence in " ".join(problems(ledger, [execution]))


@pytest.mark.parametrize("status", [S.QUEUED, S.HELD, S.RUNNING, S.UNKNOWN])
def test_a_row_that_is_stuck_is_told(status: S, told: tuple[Ledger, Execution]) -> None:
    ledger, execution = told
    execution.status = status

    assert f"stuck in {status}" in " ".join(problems(ledger, [execution]))


@pytest.mark.parametrize("status", [S.FAILED, S.REFUSED, S.REVERSED])
def test_a_denied_refund_that_was_paid_is_told(status: S, told: tuple[Ledger, Execution]) -> None:
    ledger, execution = told
    execution.status = status

    found = " ".join(problems(ledger, [execution]))

    assert f"{status}, but {refunds(ledger)[0]['id']} was paid" in found
    assert f"the record ends in SUCCEEDED, the row in {status}" in found


ATTEMPTS_GONE_WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "without an end": ({"number": 2, "fence": 2}, "an attempt has no end"),
    "under an old fence": ({"number": 2, "fence": 1}, "the fences of the attempts are [1, 1]"),
    "out of number": ({"number": 3, "fence": 2}, "attempts are numbered [1, 3]"),
}


@pytest.mark.parametrize("name", ATTEMPTS_GONE_WRONG)
def test_an_attempt_gone_wrong_is_told(name: str, told: tuple[Ledger, Execution]) -> None:
    ledger, execution = told
    attempt, sentence = ATTEMPTS_GONE_WRONG[name]
    Attempt.objects.create(execution=execution, started_at=clock.now(), **attempt)

    assert sentence in " ".join(problems(ledger, [execution]))


RECORDS_GONE_WRONG: dict[str, tuple[Callable[[Any], object], str]] = {
    "a row is gone": (lambda rows: rows.filter(number=2).delete(), "has gaps: [1, 3, 4]"),
    "the last row is gone": (lambda rows: rows.filter(number=4).delete(), "has gaps: [1, 2, 3]"),
    "a step is not allowed": (
        lambda rows: rows.filter(number=2).update(status=S.HELD),
        "the record goes from HELD to RUNNING",
    ),
    "a fence went back": (
        lambda rows: rows.filter(number=2).update(fence=7),
        "the fence went back from 7 to 1",
    ),
    "a row was changed": (
        lambda rows: rows.filter(number=2).update(claimed_by="somebody"),
        "was not written by us",
    ),
    "it was written by others": (
        lambda rows: rows.filter(number=2).update(hmac=""),
        "was not written by us",
    ),
    "it ends elsewhere": (
        lambda rows: rows.filter(status=S.SUCCEEDED).update(provider_reference="re_2"),
        "the record ends in",
    ),
}


@pytest.mark.usefixtures("unguarded")
@pytest.mark.parametrize("name", RECORDS_GONE_WRONG)
def test_a_record_gone_wrong_is_told(name: str, told: tuple[Ledger, Execution]) -> None:
    ledger, execution = told
    spoil, sentence = RECORDS_GONE_WRONG[name]
    spoil(execution.history)

    assert sentence in " ".join(problems(ledger, [execution]))
