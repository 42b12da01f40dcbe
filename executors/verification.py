"""What must be true of a decision token before money moves, step by step.

Steps 1 to 3 (header, key, signature) are cryptography and live in ``audit.signing.tokens``. The
rest is here, with the numbers of the table in the documentation. Nothing but the token and the
file of trusted public keys is believed: no status column, no row of the database.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from audit.alarms import raise_alarm
from audit.canonical import digest_of
from audit.erasure.fields import is_erased
from audit.errors import KeyFileError, RevokedKeyError, SignatureError, UnknownKeyError
from audit.signing import keys, tokens
from audit.signing.keys import TrustedKey
from executors import registry
from executors.base import Executor
from executors.errors import HeldError, RefusedError, UnknownActionError
from executors.models import Execution

#: Version of the table of claims. Claims are only ever added, with a new number.
TOKEN_VERSION = 1

#: Seconds from the decision until ``exp``, at most: an hour less than Stripe remembers a key.
LONGEST_LIFE = 23 * 3600

_APPROVING = ("APPROVED", "APPROVED_WITH_MODIFICATIONS")
_PEOPLE = "people"


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What a good token says. Only these claims are used from here on."""

    claims: Mapping[str, Any]
    token_sha256: str

    @property
    def executor(self) -> Executor:
        """Return the executor of the authorised action."""
        return registry.get(self.claims["action"], self.claims["action_version"])

    @property
    def payload(self) -> Mapping[str, Any]:
        """Return the authorised payload."""
        payload: Mapping[str, Any] = self.claims["payload"]
        return payload


def verify(execution: Execution, *, at: datetime) -> Verified:
    """Check everything about an execution's token that needs no network (steps 1 to 11).

    ``at`` is the database's present time. The caller takes step 12, ``check_provider``, while no
    transaction is open.

    Raises:
        RefusedError: this token must never be carried out; the code says why.
        HeldError: it must not be carried out now.
    """
    claims = _signed_claims(execution)
    with _refusing_malformed():
        _check_addressee(claims, execution)
        _check_content(claims)
        _check_time(claims, at)
        _check_decided(claims)
    return Verified(claims=claims, token_sha256=tokens.token_digest(execution.token))


def verify_to_read(execution: Execution) -> Verified:
    """Check what must be true before the provider is only read: all but time and holds.

    Nothing is sent, so an expired decision may still be looked for; that is what reading is for.

    Raises:
        RefusedError: the token is not a good one; what it says must not be looked for.
        HeldError: whether it is a good one cannot be said now.
    """
    claims = _signed_claims(execution)
    with _refusing_malformed():
        _check_addressee(claims, execution)
        _check_content(claims)
        datetime.fromtimestamp(claims["exp"], UTC)
    return Verified(claims=claims, token_sha256=tokens.token_digest(execution.token))


def judge(
    execution: Execution, trusted: Mapping[str, TrustedKey], *, used_at: Sequence[datetime]
) -> Verified:
    """Check a token as it was when it was used: for looking back, never for acting. No alarm.

    ``used_at`` says when each attempt began; without any the token is judged as of its decision. A
    key that was revoked after the first attempt was good then.

    Raises:
        RefusedError, HeldError: it was not a good one; the code says why.
    """
    first = min(used_at, default=execution.queued_at)
    try:
        claims = tokens.verify(execution.token, keys.as_of(trusted, first), use=keys.DECISION)
    except SignatureError as error:
        raise RefusedError(str(error), code=error.code) from error
    with _refusing_malformed():
        _check_addressee(claims, execution)
        _check_content(claims)
        _check_life(claims)
        for at in used_at:
            _check_time(claims, at)
        _check_decided(claims)
        datetime.fromtimestamp(claims["exp"], UTC)
    return Verified(claims=claims, token_sha256=tokens.token_digest(execution.token))


def check_provider(verified: Verified) -> None:
    """Check that the decision was made about the account that this process would use.

    Raises:
        HeldError: another account, or another mode; an operator must look at the keys.
        ProviderError: the provider did not say whose key this is.
    """
    # 12. The provider account is the one of the worker's key.
    present = verified.executor.provider().as_claim()
    claimed = verified.claims.get("provider")
    if claimed != present:
        raise HeldError(
            f"The decision is about {_named(claimed)}, but this worker's key belongs to "
            f"{_named(present)}.",
            code="wrong_account",
        )


def _signed_claims(execution: Execution) -> dict[str, Any]:
    if is_erased(execution.token):
        raise RefusedError("The text of its token was erased.", code="token_erased")
    try:
        trusted = keys.load_trusted_keys(settings.COUNTERSIGN_TRUSTED_KEYS_FILE)
        # 1, 2, 3. Header, key and signature.
        return tokens.verify(execution.token, trusted, use=keys.DECISION)
    except KeyFileError as error:
        raise_alarm("key_file", str(error), subject=execution.pk)
        raise HeldError(str(error), code="key_file") from error
    except UnknownKeyError as error:
        raise_alarm("unknown_key", str(error), subject=execution.pk)
        raise HeldError(str(error), code="unknown_key") from error
    except RevokedKeyError as error:
        raise_alarm("revoked_key", str(error), subject=execution.pk)
        raise RefusedError(str(error), code="revoked_key") from error
    except SignatureError as error:
        raise_alarm("token_invalid", str(error), subject=execution.pk)
        raise RefusedError(str(error), code="token_invalid") from error


def _check_addressee(claims: Mapping[str, Any], execution: Execution) -> None:
    # 4. The version of the table of claims is known.
    _require(claims["ver"] == TOKEN_VERSION, "unknown_version", "version of the claims")
    # 5. Issued by this installation, for its executor.
    _require(claims["iss"] == settings.COUNTERSIGN_ISSUER, "wrong_issuer", "issuer")
    _require(claims["aud"] == settings.COUNTERSIGN_AUDIENCE, "wrong_audience", "audience")
    # 6. It is the decision of this execution, on its request.
    ours = claims["jti"] == execution.jti and claims["sub"] == execution.subject
    _require(ours, "wrong_execution", "decision or request")


def _check_content(claims: Mapping[str, Any]) -> None:
    # 7. The outcome approves, and there is something to carry out, for somebody.
    _require(claims["outcome"] in _APPROVING, "not_approved", "outcome")
    _require(isinstance(claims["payload"], dict), "claims_malformed", "payload")
    agent = claims["agent"]
    named = isinstance(agent["id"], str) and isinstance(agent["key"], str)
    _require(named, "claims_malformed", "agent")
    # 8. The action is in the catalogue, in this version.
    try:
        registry.get(claims["action"], claims["action_version"])
    except UnknownActionError as error:
        raise RefusedError(error.message, code="unknown_action") from error
    # 9. The payload is the one whose digest the people decided on.
    digest = digest_of(claims["payload"])
    _require(digest == claims["payload_sha256"], "payload_mismatch", "payload's digest")


def _check_time(claims: Mapping[str, Any], at: datetime) -> None:
    # 10. Executable from nbf until, and not including, exp; and for no longer than the provider
    # remembers a key, whatever the signer's setting was.
    _check_life(claims)
    if at.timestamp() < claims["nbf"]:
        # Only a clock that stepped back gets here; time will heal it.
        raise HeldError("The decision may not be carried out yet.", code="not_yet_valid")
    if at.timestamp() >= claims["exp"]:
        raise RefusedError("The time to carry out this decision is over.", code="expired")


def _check_life(claims: Mapping[str, Any]) -> None:
    begins = min(claims["iat"], claims["nbf"])
    if claims["exp"] - begins > LONGEST_LIFE:
        raise RefusedError("The token may be carried out for too long.", code="lives_too_long")


def _check_decided(claims: Mapping[str, Any]) -> None:
    # 11. At least one person decided, unless a rule did.
    if claims["decided_by"] == _PEOPLE:
        _require(len(claims["reviewers"]) > 0, "no_reviewer", "list of reviewers")
    else:
        rule = claims["decided_by"]
        _require(bool(rule["rule"]) and bool(rule["version"]), "no_reviewer", "deciding rule")


@contextmanager
def _refusing_malformed() -> Iterator[None]:
    """Refuse a token whose claims are not of the kinds that the table says."""
    try:
        yield
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise RefusedError(
            f"The token lacks a claim, or one is malformed: {error!r}", code="claims_malformed"
        ) from error


def _require(good: bool, code: str, what: str) -> None:
    if not good:
        raise RefusedError(f"The token's {what} is not what is expected here.", code=code)


def _named(provider: Any) -> str:
    if not isinstance(provider, dict):
        return "no account"
    mode = "live" if provider.get("livemode") else "test"
    return f"{provider.get('kind')} {provider.get('account')} ({mode} mode)"
