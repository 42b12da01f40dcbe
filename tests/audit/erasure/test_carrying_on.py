"""What an erased execution still takes part in: being followed, and being compared."""

import dataclasses

import pytest

from audit import actors, clock, history
from audit.history import Fact
from audit.log import services as sealer
from executors import registry, services, verification
from executors.enums import ExecutionStatus as S
from executors.errors import RefusedError
from executors.models import Execution
from executors.services.following import follow
from executors.services.scanning import _judge
from tests.audit.erasure.conftest import verified

pytestmark = pytest.mark.django_db


@pytest.fixture
def execution(erased):
    return Execution.objects.get()


@pytest.fixture
def listed(execution):
    """What the provider lists of it."""
    executor = registry.get("stripe.refund", 1)
    found = executor.listed(execution.queued_at, clock.now())
    [item] = [one for one in found if one.receipt.reference == execution.provider_reference]
    return item


def judged(execution, item):
    return _judge(registry.get("stripe.refund", 1), execution, item, {})


def test_its_refund_is_still_followed(execution):
    assert follow(execution_id=execution.pk, worker="w:1") == S.SUCCEEDED
    assert execution.readings.get().result == "FOUND"


def test_its_refund_is_explained_by_its_receipt(execution, listed):
    assert judged(execution, listed) is None


def test_another_amount_than_its_receipt_says_is_found(execution, listed):
    receipt = dataclasses.replace(listed.receipt, amount_minor=1)

    kind, why = judged(execution, dataclasses.replace(listed, receipt=receipt))

    assert kind == "OUTSIDE_THE_GATE"
    assert "differs from the receipt" in why


def test_its_token_is_never_carried_out(execution):
    with pytest.raises(RefusedError) as caught:
        verification.verify(execution, at=clock.now())

    assert caught.value.code == "token_erased"


def test_a_scan_goes_on(execution):
    assert services.scan() == []


def test_what_is_written_about_it_later_is_no_finding(execution):
    Execution.objects.update(provider_status="pending")
    execution.refresh_from_db()
    fact = Fact(actor=actors.worker("w:1"), event="execution:succeed", at=clock.now())
    history.record_many([execution], fact)
    Execution.objects.update(provider_status="succeeded")
    execution.refresh_from_db()
    history.record_many([execution], fact)
    sealer.seal()

    assert verified()[0] == []
