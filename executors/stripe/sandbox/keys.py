"""API keys and what each may do.

Three roles: ``secret`` may do everything, ``worker`` may refund and read what it must know for
that, ``read`` may only read. The secrets are stored as they are, because the process prints them
at every start and they open nothing but this stand-in.
"""

import base64
import binascii
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from executors.stripe.sandbox.errors import EarlyError
from executors.stripe.sandbox.ids import new_id

_READ_EVERYTHING = dict.fromkeys(
    (
        "account",
        "balance",
        "charges",
        "customers",
        "events",
        "payment_intents",
        "payment_methods",
        "refunds",
    ),
    "read",
)
_WORKER_READS = ("account", "balance", "charges", "events", "payment_intents")

#: What each role may do, by resource. Writing includes reading.
ROLES: dict[str, dict[str, str]] = {
    "secret": dict.fromkeys(_READ_EVERYTHING, "write"),
    "worker": {"refunds": "write", **dict.fromkeys(_WORKER_READS, "read")},
    "read": _READ_EVERYTHING,
}
PREFIXES = {"secret": "sk_local_", "worker": "rk_local_", "read": "rk_local_"}
_SHAPE = re.compile(r"[sr]k_local_[A-Za-z0-9]{8,200}")
_NO_KEY = (
    "You did not provide an API key. You need to provide your API key in the Authorization header, "
    "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
)


class KeyShapeError(ValueError):
    """A key that was chosen for a role does not look like one of the local Stripe's."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The key that a request came with, and the account it belongs to."""

    account: str
    masked: str
    grants: Mapping[str, str]


def install(tx: sqlite3.Connection, chosen: Mapping[str, str | None]) -> dict[str, str]:
    """Give every role a key: the chosen one, else the one it had, else a new one.

    Raises:
        KeyShapeError: a chosen key has the wrong form, or two roles would share one.
    """
    present = {row["role"]: row["secret"] for row in tx.execute("SELECT * FROM api_keys")}
    secrets = {
        role: chosen.get(role) or present.get(role) or new_id(PREFIXES[role]) for role in ROLES
    }
    for role, secret in secrets.items():
        if _SHAPE.fullmatch(secret) is None or not secret.startswith(PREFIXES[role]):
            hint = f"{PREFIXES[role]} and at least 8 letters or digits"
            raise KeyShapeError(f"The {role} key must be {hint}.")
    if len(set(secrets.values())) != len(secrets):
        raise KeyShapeError("The three keys must differ.")
    _replace(tx, secrets)
    return secrets


def _replace(tx: sqlite3.Connection, secrets: Mapping[str, str]) -> None:
    tx.execute("DELETE FROM grants")
    tx.execute("DELETE FROM api_keys")
    for role, secret in secrets.items():
        tx.execute("INSERT INTO api_keys (role, secret) VALUES (?, ?)", (role, secret))
        for resource, level in ROLES[role].items():
            tx.execute("INSERT INTO grants VALUES (?, ?, ?)", (role, resource, level))


def authenticate(tx: sqlite3.Connection, headers: Mapping[str, str], account: str) -> Caller:
    """Return who calls, by ``Authorization: Bearer`` or Basic with the key as the user name.

    Raises:
        EarlyError: no key or an unknown one (401); another account in ``Stripe-Account`` (403).
    """
    secret = _secret(headers.get("authorization", ""))
    if not secret:
        raise EarlyError(_NO_KEY, status=401)
    row = tx.execute("SELECT role FROM api_keys WHERE secret = ?", (secret,)).fetchone()
    if row is None:
        raise EarlyError(f"Invalid API Key provided: {_mask(secret)}", status=401)
    wanted = headers.get("stripe-account", account)
    if wanted != account:
        message = (
            f"The provided key '{_mask(secret)}' does not have access to account '{wanted}' "
            "(or that account does not exist). Application access may have been revoked."
        )
        raise EarlyError(message, status=403, code="account_invalid")
    grants = tx.execute("SELECT resource, level FROM grants WHERE role = ?", (row["role"],))
    return Caller(account=account, masked=_mask(secret), grants=dict(map(tuple, grants)))


def check_grant(caller: Caller, *, resource: str, level: str) -> None:
    """Refuse what the key may not do.

    Raises:
        EarlyError: the key's permissions do not include it (403, recorded wording).
    """
    granted = caller.grants.get(resource)
    if granted in ("write", level):
        return
    permission = f"rak_{resource.removesuffix('s')}_{level}"
    raise EarlyError(
        f"The provided key '{caller.masked}' does not have the required permissions for this "
        f"endpoint on account '{caller.account}'. Having the '{permission}' permission would allow "
        "this request to continue.",
        status=403,
    )


def _secret(authorization: str) -> str:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        decoded = base64.b64decode(value.strip(), validate=True)
    except binascii.Error:
        return ""
    return decoded.decode("latin-1").partition(":")[0]


def _mask(secret: str) -> str:
    """Show the kind and the last four characters only, as Stripe does."""
    kind = _SHAPE.fullmatch(secret) and secret[: len("sk_local_")]
    return f"{kind or ''}{'*' * 12}{secret[-4:] if len(secret) > 16 else ''}"
