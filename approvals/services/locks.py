"""The locks that the verbs take, always in this order: agent, request, person.

On SQLite ``BEGIN IMMEDIATE`` has already locked the whole database.
"""

from approvals.errors import KeyRefusedError, NotPermittedError, RequestNotFoundError
from approvals.models import AgentKey, ApprovalRequest, User
from audit.statements import Query

_KEY_WITH_AGENT_LOCKED = Query(
    lambda key_id: (
        AgentKey.objects.select_related("agent")
        .filter(pk=key_id)
        .select_for_update(of=("agent",), no_key=True)
    )
)


def lock_key(key_id: str) -> AgentKey:
    """Lock an agent by one of its keys, and return the key as it is now.

    Raises:
        KeyRefusedError: there is no such key.
    """
    key = _KEY_WITH_AGENT_LOCKED.get(key_id=key_id)
    if key is None:
        raise KeyRefusedError("The agent key is not known.")
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
