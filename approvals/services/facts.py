"""Reads the provider for the reviewer, and keeps what it said."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from approvals import rules
from approvals.enums import RequestStatus
from approvals.errors import InvalidInputError, RequestNotFoundError
from approvals.models import ApprovalRequest, FactsSnapshot, shown_as
from approvals.services.locks import lock_request
from audit import clock
from executors import registry
from executors.base import Executor, Facts
from executors.errors import FactsUnavailableError, PayloadError

#: What no reviewer can mend by a patch is refused at the door.
_NEVER_RIGHT = frozenset({"currency_mismatch"})


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Facts, why they forbid the payload (empty when they do not), and when they were read."""

    facts: Facts
    problem: str
    read_at: datetime


def read(executor: Executor, payload: Mapping[str, Any]) -> Reading | None:
    """Read the provider for a new payload, outside any transaction; None when it does not answer.

    Raises:
        InvalidInputError: the provider does not know the payment, or it has another currency.
    """
    if not settings.COUNTERSIGN_READ_FACTS:
        return None
    try:
        reading = _read(executor, payload)
    except FactsUnavailableError:
        return None
    except PayloadError as error:
        raise InvalidInputError(
            error.message, code=error.code, field=f"/payload{error.field}"
        ) from error
    return reading


def _read(executor: Executor, payload: Mapping[str, Any]) -> Reading:
    # The time before the call: facts are never younger than they claim.
    read_at = clock.now()
    facts = executor.facts(payload)
    return Reading(facts=facts, problem=_problem(executor, payload, facts), read_at=read_at)


def _problem(executor: Executor, payload: Mapping[str, Any], facts: Facts) -> str:
    try:
        executor.check_facts(payload, facts)
    except PayloadError as error:
        if error.code in _NEVER_RIGHT:
            raise
        return error.message
    return ""


def store(
    request: ApprovalRequest, payload: Mapping[str, Any], reading: Reading, *, number: int
) -> FactsSnapshot:
    """Keep a reading as the snapshot of this number, in the caller's transaction."""
    executor = registry.get(request.action, request.action_version)
    share = executor.share(payload, reading.facts)
    return FactsSnapshot.objects.create(
        request=request,
        number=number,
        provider=reading.facts.provider.as_claim(),
        material=dict(reading.facts.material),
        display=dict(reading.facts.display),
        resource="" if share is None else share.of,
        problem=reading.problem,
        read_at=reading.read_at,
    )


def refresh_facts(*, request_id: str) -> FactsSnapshot | None:
    """Read the provider again for a pending request; None when it does not answer.

    Returns:
        The newest snapshot, which is somebody else's when they asked later and were faster.

    Raises:
        RequestNotFoundError: there is no such request.
        NotDecidableError: it is no longer pending.
        InvalidInputError: the provider no longer knows the payment.
    """
    request = ApprovalRequest.objects.filter(pk=request_id).first()
    if request is None:
        raise RequestNotFoundError(f"There is no request {request_id!r}.")
    rules.check_pending(request, clock.now())
    executor = registry.get(request.action, request.action_version)
    version = request.payload_versions.get(number=request.payload_version)
    reading = read(executor, version.payload)
    if reading is None:
        return None
    with transaction.atomic():
        request = lock_request(request_id)
        rules.check_pending(request, clock.now())
        newest = request.facts.order_by("-number").first()
        if newest is not None and newest.read_at > reading.read_at:
            # Somebody asked later and was faster: older facts must not become the newest ones.
            return newest
        number = 1 if newest is None else newest.number + 1
        return store(request, version.payload, reading, number=number)


def without_facts(*, limit: int) -> list[str]:
    """Return the ids of pending requests that nobody has read the provider for, oldest first."""
    pending = shown_as(RequestStatus.PENDING, clock.now())
    waiting = ApprovalRequest.objects.filter(pending, facts__isnull=True)
    return list(waiting.order_by("id").values_list("id", flat=True)[:limit])
