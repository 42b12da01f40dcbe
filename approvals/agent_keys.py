"""The form of agent keys, and how a caller is known by one.

A key is ``cs_<8 letters>_<secret>``: the part before the secret is public and names the key, the
secret has 256 bits. Stored is only HMAC-SHA-256 of the secret under a pepper that is not in the
database. A fast hash is right here: the secret is random, there is nothing to guess.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from approvals.enums import AgentStatus
from approvals.errors import KeyRefusedError
from approvals.models import AgentKey, AgentKeyUse
from audit import clock
from audit.statements import Query

_FORM = re.compile(r"(cs_[A-Za-z0-9]{8})_([A-Za-z0-9_-]{43})")
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
#: Last use is kept to the minute: a write for every request would buy nothing.
_USE_EVERY = timedelta(minutes=1)
_KEY = Query(lambda prefix: AgentKey.objects.select_related("agent", "use").filter(prefix=prefix))


@dataclass(frozen=True, kw_only=True)
class NewSecret:
    """A fresh key: what is stored, and the raw text that is shown once."""

    prefix: str
    secret_hash: str
    raw: str


def new_secret() -> NewSecret:
    """Return a fresh key with 256 random bits."""
    prefix = "cs_" + "".join(secrets.choice(_LETTERS) for _ in range(8))
    secret = secrets.token_urlsafe(32)
    return NewSecret(prefix=prefix, secret_hash=hash_secret(secret), raw=f"{prefix}_{secret}")


def hash_secret(secret: str) -> str:
    """Return the keyed hash (hex) under which a secret is stored."""
    pepper = settings.COUNTERSIGN_PEPPER.encode()
    return hmac.new(pepper, secret.encode(), hashlib.sha256).hexdigest()


def authenticate(raw: str) -> AgentKey:
    """Return the live key that this text is, and note its use.

    Raises:
        KeyRefusedError: malformed, unknown, revoked or expired, or the agent is suspended.
    """
    form = _FORM.fullmatch(raw)
    if form is None:
        raise KeyRefusedError("The agent key does not have the form of one.")
    prefix, secret = form.groups()
    key = _KEY.get(prefix=prefix)
    stored = key.secret_hash if key is not None else ""
    if not hmac.compare_digest(hash_secret(secret), stored) or key is None:
        raise KeyRefusedError("The agent key is not known.")
    at = clock.now()
    check_live(key, at)
    _note_use(key, at)
    return key


def check_live(key: AgentKey, at: datetime) -> None:
    """Refuse a key that is revoked or expired, or whose agent is suspended.

    Raises:
        KeyRefusedError: with a code for each.
    """
    if key.revoked_at is not None:
        raise KeyRefusedError("The agent key was revoked; ask its owner.", code="revoked_key")
    if not key.is_live(at):
        raise KeyRefusedError("The agent key has expired; ask its owner.", code="expired_key")
    if key.agent.status != AgentStatus.ACTIVE:
        raise KeyRefusedError("The agent is suspended; ask its owner.", code="agent_suspended")


def _note_use(key: AgentKey, at: datetime) -> None:
    use = getattr(key, "use", None)
    if use is None or at - use.last_used_at >= _USE_EVERY:
        AgentKeyUse.objects.update_or_create(key=key, defaults={"last_used_at": at})
