"""Signs what was decided, and believes the signature only when it verifies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from approvals.errors import SigningUnavailableError
from audit.alarms import raise_alarm
from audit.errors import KeyFileError, RevokedKeyError, SignatureError, UnknownKeyError
from audit.signing import keys, tokens


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A token that every worker with the same trusted keys accepts, and the id of its key."""

    token: str
    kid: str


def sign(claims: Mapping[str, Any]) -> Signed:
    """Sign the claims of a decision, and verify the token as a worker will.

    A token that no worker accepts would be an approval that can never be carried out, found out
    only when it is too late to decide otherwise.

    Raises:
        SigningUnavailableError: there is no usable key, or the token does not verify (an alarm).
    """
    key, trusted = _keys()
    token = tokens.sign(claims, key)
    try:
        tokens.verify(token, trusted, use=keys.DECISION)
    except (SignatureError, UnknownKeyError, RevokedKeyError) as error:
        raise_alarm("not_verifiable", str(error), subject=claims["sub"])
        raise SigningUnavailableError(
            f"What was signed would not verify, so nothing was decided; tell an administrator. "
            f"{error}"
        ) from error
    return Signed(token=token, kid=key.kid)


def _keys() -> tuple[keys.SigningKey, dict[str, keys.TrustedKey]]:
    what = "The signing key"
    try:
        key = keys.load_signing_key(settings.COUNTERSIGN_SIGNING_KEY_FILE)
        what = "The file of trusted keys"
        return key, keys.load_trusted_keys(settings.COUNTERSIGN_TRUSTED_KEYS_FILE)
    except KeyFileError as error:
        raise SigningUnavailableError(
            f"{what} cannot be read, so nothing was decided; tell an administrator."
        ) from error
