"""How an agent is known: by its key, and by nothing that a body could say.

An agent is no Django user: it has no password, no session and no permissions to inherit. So
``request.user`` stays empty, and ``request.auth`` is the agent key.
"""

from typing import TYPE_CHECKING, Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from approvals import agent_keys
from approvals.errors import KeyRefusedError
from approvals.models import AgentKey

if TYPE_CHECKING:
    from rest_framework.views import APIView

SCHEME = "bearer"
#: Longer than any key, shorter than what would be worth hashing.
_LONGEST = 200


class AgentKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer cs_…``."""

    def authenticate(self, request: Request) -> tuple[None, AgentKey] | None:
        """Return the live key that the header carries; None when there is no such header.

        Raises:
            KeyRefusedError: malformed, unknown, revoked or expired, or the agent is suspended.
        """
        header = str(request.META.get("HTTP_AUTHORIZATION", ""))
        scheme, _, raw = header.partition(" ")
        if scheme.lower() != SCHEME:
            return None
        if len(raw) > _LONGEST or not raw.isascii():
            raise KeyRefusedError("The agent key does not have the form of one.")
        return None, agent_keys.authenticate(raw.strip())

    def authenticate_header(self, request: Request) -> str:
        """Make a missing key a 401 instead of a 403."""
        return "Bearer"


class HasAgentKey(BasePermission):
    """Only callers with a live agent key."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Tell whether the request was authenticated by an agent key."""
        return isinstance(request.auth, AgentKey)


def key_of(request: Any) -> AgentKey | None:
    """Return the key that this request was authenticated with, without asking again."""
    key = getattr(request, "_auth", None)
    return key if isinstance(key, AgentKey) else None
