"""Putting a signed decision into the queue."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit import actors, clock
from audit.errors import UnattributedChangeError
from executors import services
from executors.models import Execution
from tests.executors.conftest import events

pytestmark = pytest.mark.django_db
SOMEBODY = actors.Actor(kind="person", name="reviewer")


def test_it_writes_a_queued_execution(execution: Execution) -> None:
    assert execution.status == "QUEUED"
    assert execution.expires_at == datetime.fromtimestamp(
        int(execution.queued_at.timestamp()) + 4 * 3600, UTC
    )
    assert (execution.agent, execution.agent_key) == ("agt_1", "key_1")


def test_it_writes_history_under_the_request(execution: Execution) -> None:
    row = Execution.history.get(id=execution.pk)

    assert (row.event, row.actor) == ("execution:queue", "person:reviewer")
    assert row.subject == execution.subject


def test_it_rings_after_the_commit_only(
    enqueue: Callable[..., Execution],
    rung: list[str],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        execution = enqueue()
        assert rung == []

    assert rung == [execution.pk]


def test_a_decision_is_queued_once(execution: Execution, enqueue: Callable[..., Execution]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        enqueue(jti=execution.jti)

    assert Execution.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_needs_the_transaction_of_the_decision(
    make_claims: Callable[..., dict[str, Any]],
) -> None:
    claims = make_claims()

    with pytest.raises(UnattributedChangeError):
        services.enqueue(token="t", claims=claims, actor=SOMEBODY, at=clock.now())

    assert not Execution.objects.exists()


def test_it_is_the_first_event(execution: Execution) -> None:
    assert events(execution) == ["execution:queue"]
