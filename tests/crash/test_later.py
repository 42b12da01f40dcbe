"""Long afterwards: another release, an outage of a day, a row that comes back from the dead."""

from typing import Any
from urllib.parse import parse_qsl

import pytest
import stripe
from django.conf import settings
from django.db import connection

from executors import services
from executors.base import Prepared
from executors.enums import ExecutionStatus as S
from executors.models import Execution
from executors.stripe import refunds
from executors.stripe.refunds import StripeRefund
from tests.crash.ledgers import problems
from tests.crash.recovering import MOSTLY_BOTH, RECOVERIES
from tests.crash.stage import Stage, fresh
from tests.crash.test_answers import once
from tests.crash.test_executing import BOUNDARIES

HOUR = 3600
#: The most that a decision may be carried out after it was made: within Stripe's key memory.
LONGEST = 23 * HOUR


class Wire:
    """What leaves for Stripe by POST: key, API version and body, as the library sends them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[tuple[str, str, bytes]] = []
        plain = stripe.RequestsClient.request

        def request(client: Any, method: str, url: str, headers: Any, body: Any = None) -> Any:
            if method == "post":
                self.sent.append((headers["Idempotency-Key"], headers["Stripe-Version"], body))
            return plain(client, method, url, headers, body)

        monkeypatch.setattr(stripe.RequestsClient, "request", request)


def release_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deploy code that would send another body, under another version of the API."""
    plain = StripeRefund.prepare

    def prepare(self: Any, claims: Any, token_sha256: str) -> Prepared:
        body = plain(self, claims, token_sha256).body + "&metadata[release]=2"
        return Prepared(method="POST", path="/v1/refunds", body=body, api_version="2027-01-01.new")

    monkeypatch.setattr(StripeRefund, "prepare", prepare)
    monkeypatch.setattr("executors.stripe.gateway.API_VERSION", "2027-01-01.new")


def test_a_new_release_sends_the_same_bytes(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    execution = stage.decide(stage.pay())
    stage.script(once("drop_after"))
    wire = Wire(monkeypatch)
    services.run(execution_id=execution.pk, worker="old release")

    release_anew(monkeypatch)
    stage.pass_time(fresh([execution]))
    services.run(execution_id=execution.pk, worker="new release")

    first, second = wire.sent
    assert first == second
    assert first[:2] == (f"cs_{execution.jti}", refunds.API_VERSION)
    assert problems(stage.ledger(), fresh([execution])) == []


@pytest.mark.parametrize("recovery", MOSTLY_BOTH)
@pytest.mark.parametrize("point", ["E3", "E3b", "E7", "E8"])
def test_a_new_release_finishes_what_the_old_one_began(
    point: str, recovery: str, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = stage.decide(stage.pay())
    stage.worker(execution.pk, at=BOUNDARIES[point]).wait()
    body = execution.intent.body

    release_anew(monkeypatch)
    RECOVERIES[recovery](stage, [execution])

    [after] = fresh([execution])
    assert (after.status, after.intent.body) == (S.SUCCEEDED, body)
    assert problems(stage.ledger(), [after]) == []
    [refund] = stage.refunds()
    assert {f"metadata[{name}]" for name in refund["metadata"]} <= {n for n, _ in parse_qsl(body)}


#: What happened before everything stood still for a day: what is known then, what came of it, and
#: how many refunds there are.
BEFORE_THE_OUTAGE = {
    "nothing began": ("", "", S.REFUSED, 0),
    "claimed": ("execution:claimed", "", S.REFUSED, 0),
    "nothing was sent": ("intent:committed", "", S.REFUSED, 0),
    "something may have been sent": ("attempt:committed", "", S.FAILED, 0),
    "it was refused on the way": ("", "drop_before", S.FAILED, 0),
    "Stripe did it": ("", "drop_after", S.SUCCEEDED, 1),
    "Stripe did it, and said so": ("answer:read", "", S.SUCCEEDED, 1),
}


@pytest.mark.parametrize("recovery", MOSTLY_BOTH)
@pytest.mark.parametrize("state", BEFORE_THE_OUTAGE)
def test_after_a_day_nothing_is_sent_any_more(
    state: str, recovery: str, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "COUNTERSIGN_EXECUTE_WITHIN", LONGEST)
    place, fault, status, paid = BEFORE_THE_OUTAGE[state]
    execution = stage.decide(stage.pay())
    stage.script(*([once(fault)] if fault else []))
    if place or fault:
        stage.worker(execution.pk, at=place).wait()
    tries = execution.attempts.count()

    stage.advance(25 * HOUR)
    RECOVERIES[recovery](stage, [execution])

    [after] = fresh([execution])
    assert (after.status, len(stage.refunds())) == (status, paid)
    assert after.attempts.count() == tries
    assert problems(stage.ledger(), [after]) == []


def test_until_its_time_is_over_a_retry_finds_the_key_remembered(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "COUNTERSIGN_EXECUTE_WITHIN", LONGEST)
    execution = stage.decide(stage.pay())
    stage.script(once("drop_after"))
    stage.worker(execution.pk).wait()

    stage.advance(LONGEST - 60)
    stage.worker(execution.pk).wait()

    [after] = fresh([execution])
    assert (after.status, after.attempts.count()) == (S.SUCCEEDED, 2)
    assert problems(stage.ledger(), [after]) == []


def put_back_to_queued(execution: Execution) -> None:
    """What an operator's SQL, or the restoring of an old backup, does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE executors_execution SET status = 'QUEUED', fence = 0, finished_at = NULL, "
            "lease_expires_at = NULL, next_attempt_at = NULL WHERE id = %s",
            [execution.pk],
        )
        assert cursor.rowcount == 1


@pytest.mark.parametrize("forgotten", [False, True], ids=["row only", "row, tries and intent"])
@pytest.mark.parametrize("hours", [1, 5, 25])
def test_a_row_put_back_to_queued_cannot_pay_again(
    hours: int, forgotten: bool, stage: Stage
) -> None:
    execution = stage.decide(stage.pay())
    stage.worker(execution.pk).wait()
    paid = stage.refunds()
    put_back_to_queued(execution)
    if forgotten:
        execution.attempts.all().delete()
        execution.intent.delete()

    stage.advance(hours * HOUR)
    for pk in (*stage.sweep()[0], execution.pk):
        stage.worker(pk).wait()

    [after] = fresh([execution])
    # Within its time the same key brings the same refund back; afterwards nothing is sent.
    assert after.status == (S.SUCCEEDED if hours == 1 else S.REFUSED)
    assert stage.refunds() == paid
    assert len(paid) == 1
