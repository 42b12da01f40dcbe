"""What is not settled, not sealed or not what was sealed is not erased; nothing changes then."""

import pytest
from django.db import connection

from approvals import services as approvals
from approvals.models import ApprovalRequest, PayloadVersion
from audit import actors, clock
from audit.erasure import services
from audit.erasure.services import ErasureError
from audit.guards import triggers
from audit.log import services as sealer
from audit.models import Erasure
from executors import findings
from executors.enums import FindingKind
from executors.models import Execution
from tests.audit.erasure.conftest import verified
from tests.support import unguarded

pytestmark = pytest.mark.django_db


@pytest.fixture
def refused(admin_user):
    """Try it, and return why it was refused; nothing may have changed."""

    def _refused(target: str) -> str:
        payloads = list(PayloadVersion.objects.values_list("payload", flat=True))
        with pytest.raises(ErasureError) as caught:
            services.erase(target, actor=actors.person(admin_user), reason="Asked for.")
        assert list(PayloadVersion.objects.values_list("payload", flat=True)) == payloads
        assert not Erasure.objects.exists()
        return str(caught.value)

    return _refused


def test_a_pending_request(log_key, pending_request, refused):
    sealer.seal()

    assert "still pending" in refused(pending_request.pk)


def test_an_execution_that_is_not_finished(log_key, pending_request, approve, refused):
    approve(pending_request)
    sealer.seal()

    assert "Its execution is not finished." in refused(pending_request.pk)


def test_a_reversed_refund_that_nobody_has_dealt_with(settled, refused):
    Execution.objects.update(status="REVERSED")

    assert "nobody has dealt with that yet" in refused(settled.pk)


def test_an_open_finding(settled, refused):
    findings.report(
        FindingKind.DUPLICATE,
        reference="re_2",
        message="Again.",
        execution=Execution.objects.get(),
        at=clock.now(),
    )
    sealer.seal()

    assert "A finding about it is open" in refused(settled.pk)


def test_rows_that_are_not_sealed_yet(log_key, pending_request, reject, refused):
    reject(pending_request)

    assert "rows of approvals_historicalreview are not sealed yet" in refused(pending_request.pk)


def test_a_row_that_is_not_what_was_sealed(settled, refused):
    unguarded.lift(connection, ["approvals_historicalreview"])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE approvals_historicalreview SET verdict = 'REJECT'")

    assert "The record is not what was sealed: approvals_historicalreview:" in refused(settled.pk)


def test_a_withdrawn_request_is_settled(log_key, pending_request, agent_key, erase):
    approvals.withdraw(request_id=pending_request.pk, key_id=agent_key.key.pk)
    sealer.seal()
    triggers.install(connection)

    erase(pending_request.pk)

    assert ApprovalRequest.objects.get().reason is None
    assert verified()[0] == []
