"""Every way in which a request can end makes a file that is proven: no false alarm."""

import pytest

from approvals import services
from audit.evidence import package
from audit.log import services as sealer
from executors import services as executions
from executors.enums import AttemptClass, ExecutionStatus
from executors.errors import FactsUnavailableError, ProviderError
from executors.models import Execution
from executors.stripe.refunds import StripeRefund
from tests.audit.evidence.conftest import run, wrong
from tests.executors.stripe.switches import press

pytestmark = pytest.mark.django_db


def proven(request):
    sealer.seal()
    request.refresh_from_db()
    assert wrong(package.make(request.pk)) == []


@pytest.fixture
def approved(log_key, pending_request, approve):
    approve(pending_request)
    return pending_request


def execution_of(request):
    return Execution.objects.get(subject=request.pk)


def failing(monkeypatch, attempt_class):
    def execute(*_, **__):
        raise ProviderError("No.", attempt_class=attempt_class, code="no", http_status=402)

    monkeypatch.setattr(StripeRefund, "execute", execute)


def steer(verb, request, user, **options):
    return verb(execution_id=execution_of(request).pk, user=user, reason="Wait.", **options)


def test_withdrawn(log_key, pending_request, agent_key):
    services.withdraw(key_id=agent_key.key.pk, request_id=pending_request.pk)

    proven(pending_request)


def test_expired(log_key, pending_request, later):
    later(days=8)
    services.expire_due()

    proven(pending_request)


def test_rejected_before_the_provider_was_read(
    log_key, submit, refund_payload, reject, monkeypatch
):
    def facts(*_):
        raise FactsUnavailableError("Not now.")

    monkeypatch.setattr(StripeRefund, "facts", facts)
    request = submit(refund_payload)
    reject(request)

    proven(request)


def test_held_and_released(approved, reviewer):
    steer(executions.hold, approved, reviewer)
    proven(approved)
    steer(executions.release, approved, reviewer)
    run(approved)
    proven(approved)


def test_revoked(approved, reviewer):
    steer(executions.revoke, approved, reviewer)

    proven(approved)


def test_refused_because_its_time_was_over(approved, later):
    later(hours=5)
    run(approved)

    assert execution_of(approved).status == ExecutionStatus.REFUSED
    proven(approved)


def test_refused_by_the_provider(approved, monkeypatch):
    failing(monkeypatch, AttemptClass.FINAL)
    run(approved)

    assert execution_of(approved).status == ExecutionStatus.FAILED
    proven(approved)


def test_put_off_and_carried_out_later(approved, monkeypatch, later):
    with monkeypatch.context() as patch:
        failing(patch, AttemptClass.AMBIGUOUS)
        run(approved)
    proven(approved)
    later(minutes=30)
    run(approved)

    assert execution_of(approved).status == ExecutionStatus.SUCCEEDED
    proven(approved)


def test_unknown_and_settled_by_a_person(approved, monkeypatch, later, reviewer):
    failing(monkeypatch, AttemptClass.AMBIGUOUS)
    run(approved)
    later(hours=5)
    run(approved)
    assert execution_of(approved).status == ExecutionStatus.UNKNOWN
    proven(approved)

    outcome = ExecutionStatus.SUCCEEDED
    steer(executions.resolve, approved, reviewer, outcome=outcome, provider_reference="re_1")
    proven(approved)


def test_taken_back_by_the_provider(approved, local_stripe):
    run(approved)
    reference = execution_of(approved).provider_reference
    press(local_stripe, f"refunds/{reference}/settle", {"status": "failed"})
    executions.follow(execution_id=execution_of(approved).pk, worker="host-1:100")

    assert execution_of(approved).status == ExecutionStatus.REVERSED
    proven(approved)


def test_two_requests_about_one_payment(log_key, submit, refund_payload, approve, reject):
    first, second = (submit(refund_payload | {"amount": amount}) for amount in (1000, 2000))
    approve(first)
    reject(second)
    run(first)

    proven(first)
    proven(second)
