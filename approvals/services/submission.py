"""An agent proposes."""

from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from approvals import agent_keys, rules
from approvals.enums import EventType, Priority, RequestStatus
from approvals.errors import IdempotencyMismatchError, InvalidInputError
from approvals.models import AgentKey, ApprovalRequest, PayloadVersion
from approvals.services import facts as reading
from approvals.services.facts import Reading
from approvals.services.locks import lock_key
from audit import actors, clock, failpoints
from audit.canonical import digest_of
from audit.history import Fact, record
from audit.statements import insert
from executors import payloads, registry
from executors.base import Executor
from executors.errors import PayloadError, UnknownActionError


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What an agent posts, parsed. ``expires_in`` is in seconds; None means the default."""

    service: str
    action: str
    payload: dict[str, Any]
    priority: str = Priority.MEDIUM.value
    reason: str = ""
    context: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    trace_id: str = ""
    expires_in: int | None = None


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """The stored request; ``replayed`` when the same submission had been stored before."""

    request: ApprovalRequest
    replayed: bool


def submit(
    *, key: AgentKey, idempotency_key: str, submission: Submission, body_sha256: str
) -> Submitted:
    """Store a request, or find the one that the same key and body made before.

    ``key`` is the key as it was authenticated; it is read again once its agent is locked.
    ``body_sha256`` is the digest of the canonical parsed body, which is what is compared.

    Raises:
        InvalidInputError: the action or its payload is not acceptable; ``field`` says what.
        OutOfScopeError: the key does not allow it.
        KeyRefusedError: the key was revoked, or the agent suspended, in the meantime.
        TooManyPendingError: the agent has as many pending requests as it may have.
        IdempotencyMismatchError: the idempotency key was used with another body.
    """
    earlier = _earlier(key.agent_id, idempotency_key, body_sha256)
    if earlier is not None:
        return Submitted(request=earlier, replayed=True)
    executor = _checked_action(key, submission)
    # The provider is read here, before the transaction: no network call inside one.
    facts = reading.read(executor, submission.payload)
    failpoints.reached("request:read")
    with transaction.atomic():
        key = lock_key(key.pk)
        at = clock.now()
        agent_keys.check_live(key, at)
        earlier = _earlier(key.agent_id, idempotency_key, body_sha256)
        if earlier is not None:
            return Submitted(request=earlier, replayed=True)
        rules.check_pending_limit(key.agent_id, at)
        request = _build(key, executor, submission)
        request.idempotency_key, request.body_sha256 = idempotency_key, body_sha256
        request.submitted_at = at
        request.expires_at = rules.deadline(executor, at, submission.expires_in)
        _store(request, submission.payload, facts)
        failpoints.reached("request:stored")
    failpoints.reached("request:committed")
    return Submitted(request=request, replayed=False)


def _earlier(agent_id: str, idempotency_key: str, body_sha256: str) -> ApprovalRequest | None:
    """Return the request that this idempotency key made.

    Every submission asks twice, and nearly always in vain: so in plain SQL, which costs a third.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, body_sha256 FROM approvals_approvalrequest "
            "WHERE agent_id = %s AND idempotency_key = %s",
            [agent_id, idempotency_key],
        )
        found = cursor.fetchone()
    if found is None:
        return None
    if found[1] != body_sha256:
        raise IdempotencyMismatchError(
            "This Idempotency-Key was used before with another body; use a new one."
        )
    return ApprovalRequest.objects.select_related("agent", "agent_key").get(pk=found[0])


def _checked_action(key: AgentKey, submission: Submission) -> Executor:
    try:
        executor = registry.latest(submission.action)
    except UnknownActionError as error:
        raise InvalidInputError(error.message, field="/action", code=error.code) from error
    try:
        payloads.validate(executor, submission.payload)
    except PayloadError as error:
        raise InvalidInputError(
            error.message, field=f"/payload{error.field}", code=error.code
        ) from error
    rules.check_scope(key, executor, executor.money(submission.payload))
    return executor


def _build(key: AgentKey, executor: Executor, submission: Submission) -> ApprovalRequest:
    money = executor.money(submission.payload)
    return ApprovalRequest(
        status=RequestStatus.PENDING,
        agent=key.agent,
        agent_key=key,
        service=submission.service,
        action=executor.name,
        action_version=executor.version,
        amount_minor=None if money is None else money.amount_minor,
        currency="" if money is None else money.currency,
        priority=submission.priority,
        reason=submission.reason,
        context=submission.context,
        metadata=submission.metadata,
        trace_id=submission.trace_id,
    )


def _store(request: ApprovalRequest, payload: dict[str, Any], facts: Reading | None) -> None:
    author = actors.agent(request.agent.name)
    record(request, Fact(actor=author, event=EventType.REQUEST_SUBMIT, at=request.submitted_at))
    insert(
        PayloadVersion(
            request=request,
            number=1,
            payload=payload,
            sha256=digest_of(payload),
            made_by=str(author),
            made_at=request.submitted_at,
        )
    )
    if facts is not None:
        reading.store(request, payload, facts, number=1)
