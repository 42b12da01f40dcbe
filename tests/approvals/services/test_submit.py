"""``services.submit``: an agent proposes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from approvals import services
from approvals.enums import RequestStatus
from approvals.errors import (
    IdempotencyMismatchError,
    InvalidInputError,
    KeyRefusedError,
    OutOfScopeError,
    TooManyPendingError,
)
from approvals.models import ApprovalRequest
from approvals.services import IssuedKey, Submission
from approvals.services import facts as reading
from approvals.services.locks import lock_key
from audit.canonical import digest_of
from executors.stripe.refunds import StripeRefund
from tests.conftest import issue_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def post(provider: Any) -> Callable[..., services.Submitted]:
    def _post(issued: IssuedKey, payload: dict[str, Any], **options: Any) -> services.Submitted:
        key = options.pop("idempotency_key", "one")
        submission = Submission(
            **({"service": "support", "action": "stripe.refund", "payload": payload} | options)
        )
        return services.submit(
            key=issued.key,
            idempotency_key=key,
            submission=submission,
            body_sha256=digest_of([payload, sorted(options)]),
        )

    return _post


def test_it_stores_the_request_its_payload_and_its_facts(post, agent_key, refund_payload):
    request = post(agent_key, refund_payload).request

    assert request.status == RequestStatus.PENDING
    assert (request.amount_minor, request.currency) == (9500, "usd")
    assert request.payload_versions.get().sha256 == digest_of(refund_payload)
    assert request.facts.get().material["captured"] == 12000


def test_it_writes_history_with_the_agent_as_author(post, agent_key, refund_payload):
    request = post(agent_key, refund_payload).request

    row = request.history.get()
    assert (row.actor, row.event, row.number) == ("agent:billing-agent", "request:submit", 1)
    assert row.history_date == request.submitted_at


def test_an_alias_is_stored_under_the_catalogue_name(post, agent_key, refund_payload):
    assert post(agent_key, refund_payload, action="stripe_refund").request.action == "stripe.refund"


def test_the_same_key_and_body_is_the_same_request(post, agent_key, refund_payload):
    first = post(agent_key, refund_payload)
    again = post(agent_key, refund_payload)

    assert again.replayed
    assert again.request.pk == first.request.pk
    assert ApprovalRequest.objects.count() == 1


def test_a_rotated_key_replays_what_the_old_key_sent(post, agent, agent_key, refund_payload):
    first = post(agent_key, refund_payload)

    again = post(issue_key(agent), refund_payload)

    assert (again.replayed, again.request.pk) == (True, first.request.pk)


def test_the_same_key_with_another_body_is_refused(post, agent_key, refund_payload):
    post(agent_key, refund_payload)

    with pytest.raises(IdempotencyMismatchError):
        post(agent_key, refund_payload | {"amount": 1})


def test_two_agents_may_use_one_idempotency_key(post, agent_key, other_agent_key, refund_payload):
    first = post(agent_key, refund_payload).request

    assert post(other_agent_key, refund_payload).request.pk != first.pk


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": 0}, "/payload/amount"),
        ({"amount": -1}, "/payload/amount"),
        ({"amount": "100"}, "/payload/amount"),
        ({"amount": True}, "/payload/amount"),
        ({"amount": 100_000_000}, "/payload/amount"),
        ({"currency": "xxx"}, "/payload/currency"),
        ({"reverse_transfer": True}, "/payload/reverse_transfer"),
        ({"metadata": {"countersign_request": "x"}}, "/payload/metadata"),
    ],
)
def test_a_payload_that_breaks_the_rules_is_refused_by_field(
    post, agent_key, refund_payload, change, field
):
    with pytest.raises(InvalidInputError) as caught:
        post(agent_key, refund_payload | change)

    assert caught.value.field.startswith(field)
    assert not ApprovalRequest.objects.exists()


def test_a_currency_other_than_the_payments_is_refused(post, agent_key, refund_payload):
    with pytest.raises(InvalidInputError) as caught:
        post(agent_key, refund_payload | {"currency": "eur"})

    assert (caught.value.code, caught.value.field) == ("currency_mismatch", "/payload/currency")


def test_a_payment_that_the_provider_does_not_know_is_refused(post, agent_key, refund_payload):
    with pytest.raises(InvalidInputError) as caught:
        post(agent_key, refund_payload | {"payment_intent": "pi_0000000000000000"})

    assert caught.value.field == "/payload/payment_intent"


def test_more_than_is_left_waits_with_its_problem_for_a_patch(post, agent_key, refund_payload):
    request = post(agent_key, refund_payload | {"amount": 12001}).request

    assert request.status == RequestStatus.PENDING
    assert request.facts.get().problem


def test_without_an_answer_of_the_provider_it_waits_without_facts(
    post, agent_key, refund_payload, settings
):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"

    request = post(agent_key, refund_payload).request

    assert request.status == RequestStatus.PENDING
    assert not request.facts.exists()


@pytest.mark.parametrize(
    "scope",
    [
        {"currencies": ["eur"]},
        {"currencies": ["usd"], "ceiling_minor": 9499},
    ],
)
def test_a_key_allows_its_currencies_and_ceiling_only(post, agent, refund_payload, scope):
    with pytest.raises(OutOfScopeError):
        post(issue_key(agent, **scope), refund_payload)


def test_the_ceiling_itself_is_allowed(post, agent, refund_payload):
    issued = issue_key(agent, currencies=["usd"], ceiling_minor=9500)

    assert post(issued, refund_payload).request.is_pending


def test_a_key_revoked_in_the_meantime_is_refused(post, agent_key, refund_payload, admin_user):
    from audit import actors

    services.revoke_key(
        key_id=agent_key.key.pk, reason="lost", compromised=False, by=actors.person(admin_user)
    )

    with pytest.raises(KeyRefusedError):
        post(agent_key, refund_payload)


def test_one_more_pending_request_than_allowed_is_refused(
    post, agent_key, refund_payload, settings
):
    settings.COUNTERSIGN_PENDING_PER_AGENT = 2
    for name in ("one", "two"):
        post(agent_key, refund_payload, idempotency_key=name)

    with pytest.raises(TooManyPendingError):
        post(agent_key, refund_payload, idempotency_key="three")


def test_the_deadline_is_counted_from_the_databases_clock(post, agent_key, refund_payload):
    request = post(agent_key, refund_payload, expires_in=90).request

    assert request.expires_at - request.submitted_at == timedelta(seconds=90)


def test_an_action_may_have_a_narrower_deadline_than_the_installation(
    post, agent_key, refund_payload, monkeypatch
):
    monkeypatch.setattr(StripeRefund, "expires_in_most", 600)

    request = post(agent_key, refund_payload).request
    with pytest.raises(InvalidInputError, match=r"stripe.refund, expires_in .* 60 to 600"):
        post(agent_key, refund_payload, idempotency_key="longer", expires_in=601)

    assert request.expires_at - request.submitted_at == timedelta(seconds=600)


@pytest.mark.parametrize("seconds", [59, 7 * 24 * 3600 + 1])
def test_a_deadline_beyond_the_limits_is_refused(post, agent_key, refund_payload, seconds):
    with pytest.raises(InvalidInputError) as caught:
        post(agent_key, refund_payload, expires_in=seconds)

    assert caught.value.field == "/expires_in"


def test_the_same_submission_that_came_in_meanwhile_is_found_under_the_lock(
    post, agent_key, refund_payload, monkeypatch
):
    """The first look finds nothing; a twin commits while this one reads the provider."""
    twins = []
    really_read = reading.read

    def read_while_a_twin_commits(*arguments):
        monkeypatch.setattr(reading, "read", really_read)
        twins.append(post(agent_key, refund_payload))
        return really_read(*arguments)

    monkeypatch.setattr(reading, "read", read_while_a_twin_commits)

    late = post(agent_key, refund_payload)

    assert late.replayed
    assert late.request.pk == twins[0].request.pk
    assert ApprovalRequest.objects.count() == 1


def test_a_key_that_does_not_exist_is_refused_under_the_lock(db):
    with pytest.raises(KeyRefusedError):
        lock_key("key_none")
