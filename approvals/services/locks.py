"""The locks that the verbs take, always in this order: agent, request, person, payment.

On SQLite ``BEGIN IMMEDIATE`` has already locked the whole database.
"""

from django.db import connection

from approvals.errors import KeyRefusedError, NotPermittedError, RequestNotFoundError
from approvals.models import Agent, AgentKey, ApprovalRequest, User
from audit import failpoints
from audit.statements import Query

_AGENT_LOCKED = Query(
    lambda key_id: Agent.objects.select_for_update(of=("self",), no_key=True).filter(keys=key_id)
)
_KEY = Query(lambda key_id: AgentKey.objects.filter(pk=key_id))


def lock_key(key_id: str) -> AgentKey:
    """Lock an agent by one of its keys, and return the key as it is now.

    Raises:
        KeyRefusedError: there is no such key.
    """
    agent = _AGENT_LOCKED.get(key_id=key_id)
    # Only then, in a statement of its own: one that waited for the lock would show the key beside
    # the agent as it was before the wait, when it may not have been revoked yet.
    key = None if agent is None else _KEY.get(key_id=key_id)
    if agent is None or key is None:
        raise KeyRefusedError("The agent key is not known.")
    key.agent = agent
    return key


def lock_request(request_id: str) -> ApprovalRequest:
    """Lock one request and return it as it is now, with agent and key.

    Raises:
        RequestNotFoundError: there is none of this id.
    """
    requests = ApprovalRequest.objects.select_related("agent", "agent_key").filter(pk=request_id)
    request = requests.select_for_update(of=("self",), no_key=True).first()
    if request is None:
        raise RequestNotFoundError(f"There is no request {request_id!r}.")
    return request


def lock_person(user_id: int) -> User:
    """Lock one account, so that it is not deactivated between the check and the commit.

    Raises:
        NotPermittedError: there is no such account.
    """
    user = User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    if user is None:
        raise NotPermittedError("This account does not exist any more.")
    return user


def lock_for_decision(request_id: str, reviewer_id: int) -> tuple[ApprovalRequest, User]:
    """Lock what one decision is about: the request, the person, and the payment behind it.

    Raises:
        RequestNotFoundError, NotPermittedError: there is no such request, or account.
    """
    request, reviewer = lock_request(request_id), lock_person(reviewer_id)
    _lock_payment(request)
    failpoints.reached("decision:locked")
    return request, reviewer


def _lock_payment(request: ApprovalRequest) -> None:
    """Let decisions about one payment wait for each other, until the transaction ends.

    Two approvals at once would each see what is left without the other. The request is locked, so
    its facts do not change any more.
    """
    snapshot = request.facts.order_by("-number").first()
    if snapshot is None or not snapshot.resource or connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [snapshot.resource])
