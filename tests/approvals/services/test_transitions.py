"""The request's table: every pair of statuses and every kind of actor."""

import pytest
from django.db import transaction

from approvals import transitions
from approvals.enums import EventType, RequestStatus
from approvals.errors import NotDecidableError
from approvals.services.moves import move
from audit import clock
from audit.actors import Actor
from audit.errors import ConflictError

KINDS = ("person", "agent", "worker", "system")

#: The table once more, written by hand: who may end a pending request, and with which event.
ALLOWED = {
    (RequestStatus.APPROVED, "person"): "request:approve",
    (RequestStatus.APPROVED_WITH_MODIFICATIONS, "person"): "request:approve",
    (RequestStatus.REJECTED, "person"): "request:reject",
    (RequestStatus.WITHDRAWN, "agent"): "request:withdraw",
    (RequestStatus.EXPIRED, "system"): "request:expire",
}
TIME = {
    RequestStatus.APPROVED: "decided_at",
    RequestStatus.APPROVED_WITH_MODIFICATIONS: "decided_at",
    RequestStatus.REJECTED: "decided_at",
    RequestStatus.WITHDRAWN: "withdrawn_at",
    RequestStatus.EXPIRED: "expired_at",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("after", RequestStatus)
def test_a_pending_request_ends_as_the_table_says(db, pending_request, after, kind):
    actor, at = Actor(kind=kind, name="somebody"), clock.now()
    event = ALLOWED.get((after, kind))

    with transaction.atomic():
        if event is None:
            with pytest.raises(NotDecidableError):
                move(pending_request, after, actor=actor, at=at)
            assert pending_request.history.count() == 1
        else:
            move(pending_request, after, actor=actor, at=at, **{TIME[after]: at})
            assert pending_request.history.first().event == event


@pytest.mark.parametrize("before", [s for s in RequestStatus if s != RequestStatus.PENDING])
@pytest.mark.parametrize("after", RequestStatus)
def test_nothing_follows_a_final_status(before, after):
    assert transitions.is_final(before)
    assert not transitions.allows(before, after)


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda at: {"payload_version": 2},
        lambda at: {"status": RequestStatus.WITHDRAWN, "withdrawn_at": at},
    ],
)
def test_a_row_that_changed_meanwhile_is_not_moved(db, pending_request, meanwhile):
    row = type(pending_request).objects.filter(pk=pending_request.pk)
    row.update(**meanwhile(clock.now()))

    with pytest.raises(ConflictError), transaction.atomic():
        move(
            pending_request,
            RequestStatus.REJECTED,
            actor=Actor(kind="person", name="somebody"),
            at=clock.now(),
        )


def test_every_status_is_in_the_table_or_final_and_every_event_is_known():
    reached = {after for steps in transitions.TRANSITIONS.values() for after in steps}

    assert reached | transitions.AT_BIRTH == set(RequestStatus)
    for steps in transitions.TRANSITIONS.values():
        assert all(step.event in EventType for step in steps.values())
