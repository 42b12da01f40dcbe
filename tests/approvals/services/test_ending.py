"""``services.withdraw`` and ``services.expire_due``: ends without a decision."""

from datetime import timedelta

import pytest

from approvals import rules, services, tasks
from approvals.enums import RequestStatus
from approvals.errors import NotDecidableError, RequestNotFoundError
from audit import clock

pytestmark = pytest.mark.django_db


def test_an_agent_takes_its_pending_request_back(pending_request, agent_key):
    request = services.withdraw(key_id=agent_key.key.pk, request_id=pending_request.pk)

    assert request.status == RequestStatus.WITHDRAWN
    row = request.history.first()
    assert (row.actor, row.event, row.number) == ("agent:billing-agent", "request:withdraw", 2)


def test_another_agent_does_not_even_see_it(pending_request, other_agent_key):
    with pytest.raises(RequestNotFoundError):
        services.withdraw(key_id=other_agent_key.key.pk, request_id=pending_request.pk)


def test_what_is_decided_is_not_taken_back(pending_request, approve, agent_key):
    approve(pending_request)

    with pytest.raises(NotDecidableError):
        services.withdraw(key_id=agent_key.key.pk, request_id=pending_request.pk)


def test_what_has_expired_is_not_taken_back(pending_request, agent_key, later):
    later(seconds=3601)

    with pytest.raises(NotDecidableError):
        services.withdraw(key_id=agent_key.key.pk, request_id=pending_request.pk)


def test_the_sweep_expires_what_is_due_and_nothing_else(submit, refund_payload, later):
    soon = submit(refund_payload, expires_in=60)
    late = submit(refund_payload, expires_in=600)
    later(seconds=61)

    assert services.expire_due() == 1

    soon.refresh_from_db()
    late.refresh_from_db()
    assert (soon.status, late.status) == (RequestStatus.EXPIRED, RequestStatus.PENDING)
    row = soon.history.first()
    assert (row.actor, row.event, row.number) == ("system:expiry", "request:expire", 2)
    assert row.history_date == soon.expired_at
    assert row.canonical
    assert row.hmac


def test_a_limited_sweep_takes_what_is_due_longest(submit, refund_payload, later):
    late, soon, between = (submit(refund_payload, expires_in=s) for s in (80, 60, 70))
    later(seconds=81)

    assert services.expire_due(limit=2) == 2

    late.refresh_from_db()
    assert late.status == RequestStatus.PENDING
    assert [r.history.count() for r in (late, soon, between)] == [1, 2, 2]


def test_the_sweep_comes_at_the_deadline_and_not_a_moment_before(pending_request, monkeypatch):
    deadline = pending_request.expires_at

    monkeypatch.setattr(clock, "now", lambda: deadline - timedelta(microseconds=1))
    assert services.expire_due() == 0
    monkeypatch.setattr(clock, "now", lambda: deadline)
    assert services.expire_due() == 1


def test_a_second_sweep_finds_nothing(submit, refund_payload, later):
    submit(refund_payload, expires_in=60)
    later(seconds=61)

    assert (services.expire_due(), services.expire_due()) == (1, 0)


def test_the_task_goes_through_batches_to_the_end(submit, refund_payload, later, monkeypatch):
    monkeypatch.setattr(tasks, "_BATCH", 2)
    for _ in range(5):
        submit(refund_payload, expires_in=60)
    later(seconds=61)

    assert tasks.expire_requests() == 5


def test_past_its_deadline_a_request_reads_as_expired_before_the_sweep(pending_request, later):
    later(seconds=3601)

    assert rules.present_status(pending_request, clock.now()) == RequestStatus.EXPIRED
