"""The page's table of what an answer proves, cell by cell, from the library to the last reading.

Each answer comes to a first try, after a try that Stripe never saw, and after one that it carried
out while we heard nothing; and then ``exp`` passes. Real library, real HTTP, real services; the
local Stripe forgets its keys where only that lets an answer be seen. What else the rows promise is
shown elsewhere: each way to lose an answer, ``Retry-After`` and a stored 500 in ``test_answers``;
who tries again after a 401, and when, in ``test_refused_keys``; a first answer that is ``failed``
already, which no card of the local Stripe gives, in ``tests/executors/test_run.py``.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest
import stripe
from django.conf import settings

from audit.signing import tokens
from executors.enums import AttemptClass
from executors.enums import ExecutionStatus as S
from executors.models import Execution
from executors.stripe.refunds import StripeRefund
from tests.crash.ledgers import problems
from tests.crash.recovering import by_sweeper
from tests.crash.stage import Stage, fresh, run
from tests.crash.test_answers import once

#: What became of the try before this one: there was none; Stripe did not see it; Stripe did it.
FIRST, UNSEEN, DONE = "", "drop_before", "drop_after"

UNKNOWN = ["outcome_unknown"]
#: Both 401 and 403 of the local Stripe have this code.
KEY_REFUSED = ["invalid_request_error"]

Act = Callable[[Stage, Execution], object]


class Cell(NamedTuple):
    """The status after this answer, once ``exp`` is over, and when nothing more happens.

    ``paid`` is how many refunds of ours there are in the end. ``alarms`` are those of the answer
    itself; ``later`` are those of the time after it.
    """

    at_once: S
    past_exp: S
    at_last: S
    paid: int
    alarms: list[str] = []
    later: list[str] = []


class Row(NamedTuple):
    """One line of the table: answers, what they prove, and what that leads to after which try."""

    proves: AttemptClass
    answers: Mapping[str, Act]
    cells: Mapping[str, Cell]


def nothing_wrong(stage: Stage, execution: Execution) -> None:
    pass


def fault(kind: str) -> Act:
    return lambda stage, execution: stage.script(once(kind))


def all_refunded_but(left: int) -> Act:
    """The merchant refunds what is left, but for so many cents; Stripe has forgotten our key."""

    def act(stage: Stage, execution: Execution) -> None:
        stage.forget_keys()
        [payment] = stage.ledger()["payments"]
        rest = payment["amount_captured"] - payment["amount_refunded"]
        stage.merchant.v1.refunds.create({"payment_intent": payment["id"], "amount": rest - left})

    return act


def key_used_with_other_bytes(stage: Stage, execution: Execution) -> None:
    stage.forget_keys()
    options: stripe.RequestOptions = {"idempotency_key": f"cs_{execution.jti}"}
    stage.merchant.v1.refunds.create({"payment_intent": stage.payments[0], "amount": 1}, options)


def settled(status: S, paid: int) -> Cell:
    return Cell(status, status, status, paid)


SUCCEEDED = settled(S.SUCCEEDED, 1)
REFUSED_BY_STRIPE = settled(S.FAILED, 0)
NOT_THERE = Cell(S.RUNNING, S.UNKNOWN, S.FAILED, 0, later=UNKNOWN)
THERE = Cell(S.RUNNING, S.UNKNOWN, S.SUCCEEDED, 1, later=UNKNOWN)
BUG = ["idempotency_error", *UNKNOWN]

TABLE = {
    "done": Row(
        AttemptClass.DONE,
        {"a refund": nothing_wrong},
        {FIRST: SUCCEEDED, UNSEEN: SUCCEEDED, DONE: SUCCEEDED},
    ),
    "lost before": Row(
        AttemptClass.AMBIGUOUS,
        {"no answer": fault("drop_before"), "503": fault("unavailable"), "409": fault("in_use")},
        {FIRST: NOT_THERE, UNSEEN: NOT_THERE, DONE: THERE},
    ),
    "lost after": Row(
        AttemptClass.AMBIGUOUS,
        {"no answer": fault("drop_after"), "unreadable": fault("not_json")},
        {FIRST: THERE, UNSEEN: THERE, DONE: THERE},
    ),
    "not executed": Row(
        AttemptClass.NOT_EXECUTED,
        {"429": fault("rate_limit")},
        {FIRST: Cell(S.RUNNING, S.REFUSED, S.REFUSED, 0), UNSEEN: NOT_THERE, DONE: THERE},
    ),
    "final": Row(
        AttemptClass.FINAL,
        {"already refunded": all_refunded_but(0), "too little left": all_refunded_but(100)},
        # In the last of these our own refund is part of why Stripe refuses: it is looked up.
        {FIRST: REFUSED_BY_STRIPE, UNSEEN: REFUSED_BY_STRIPE, DONE: SUCCEEDED},
    ),
    "our bug": Row(
        AttemptClass.OUR_BUG,
        {"other bytes": key_used_with_other_bytes},
        {
            FIRST: Cell(S.UNKNOWN, S.UNKNOWN, S.FAILED, 0, alarms=BUG),
            UNSEEN: Cell(S.UNKNOWN, S.UNKNOWN, S.FAILED, 0, alarms=BUG),
            DONE: Cell(S.UNKNOWN, S.UNKNOWN, S.SUCCEEDED, 1, alarms=BUG),
        },
    ),
    "configuration": Row(
        AttemptClass.CONFIGURATION,
        {"401": fault("unauthorized"), "403": fault("forbidden")},
        {
            FIRST: Cell(S.HELD, S.REFUSED, S.REFUSED, 0, alarms=KEY_REFUSED),
            UNSEEN: NOT_THERE._replace(alarms=KEY_REFUSED),
            DONE: THERE._replace(alarms=KEY_REFUSED),
        },
    ),
}
CELLS = [
    pytest.param(earlier, answer, row, id=f"{name}, {answer}, {earlier or 'first'}")
    for name, row in TABLE.items()
    for answer in row.answers
    for earlier in row.cells
]


@pytest.fixture
def alarms(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The codes of the alarms since the last look."""

    def codes() -> list[str]:
        raised = [r.getMessage() for r in caplog.records if r.name == "countersign.alarm"]
        caplog.clear()
        return [message.split()[0].removeprefix("alarm=") for message in raised]

    caplog.set_level(logging.CRITICAL, logger="countersign.alarm")
    return codes


def ours(stage: Stage) -> dict[str, Any]:
    """The ledger without what the merchant has refunded past the gate."""
    ledger = stage.ledger()
    for payment in ledger["payments"]:
        marked = [r for r in payment["refunds"] if "countersign_decision" in r["metadata"]]
        payment["refunds"] = marked
    return ledger


@pytest.mark.parametrize(("earlier", "answer", "row"), CELLS)
def test_an_answer_leads_to_what_the_table_says(
    earlier: str, answer: str, row: Row, stage: Stage, alarms: Callable[[], list[str]]
) -> None:
    expected = row.cells[earlier]
    execution = stage.decide(stage.pay())
    if earlier:
        stage.script(once(earlier))
        run(execution.pk)
        stage.pass_time(fresh([execution]))

    row.answers[answer](stage, execution)
    run(execution.pk)
    [at_once], heard = fresh([execution]), alarms()
    stage.advance(settings.COUNTERSIGN_EXECUTE_WITHIN)
    for execution_id in stage.sweep()[0]:
        run(execution_id)
    [past_exp] = fresh([execution])
    later = alarms()
    by_sweeper(stage, [execution])
    [at_last] = fresh([execution])

    proved = at_once.attempts.order_by("number").values_list("outcome", flat=True)
    assert list(proved) == [*([AttemptClass.AMBIGUOUS] if earlier else []), row.proves]
    assert at_last.attempts.count() == len(proved), "a try after exp"
    assert (at_once.status, past_exp.status, at_last.status) == expected[:3]
    assert (heard, later) == (expected.alarms, expected.later)
    [payment] = ours(stage)["payments"]
    assert len(payment["refunds"]) == expected.paid
    assert problems(ours(stage), [at_last]) == []


def test_a_success_that_nobody_here_remembers_is_found(stage: Stage) -> None:
    execution = stage.decide(stage.pay())
    claims = tokens.unverified_claims(execution.token)
    refund = StripeRefund()
    # As after the restoring of a database from an older backup: Stripe did it, we know nothing.
    prepared = refund.prepare(claims, tokens.token_digest(execution.token))
    made = refund.execute(prepared, f"cs_{execution.jti}")
    all_refunded_but(0)(stage, execution)

    run(execution.pk)

    [after] = fresh([execution])
    assert (after.status, after.provider_reference) == (S.SUCCEEDED, made.reference)
    assert after.attempts.get().error_code == "charge_already_refunded"
    assert problems(ours(stage), [after]) == []
