"""What Stripe announces. An event is a bell: it says where to look, and is believed in nothing."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from executors.base import Announcement
from executors.errors import MalformedEventError, UntrustedEventError
from executors.stripe.gateway import is_signed
from executors.stripe.schema import OURS

#: An event of ours has a few kilobytes; the largest of Stripe's stay below this many bytes.
MOST_BYTES = 256 * 1024
#: Older, an intercepted event may be replayed; newer, it could be kept for a replay. Stripe signs
#: each delivery anew, so that its own retries of three days are never too old.
TOLERANCE = timedelta(minutes=5)

#: Events about one refund. The last is what endpoints of older API versions are sent.
_ABOUT_REFUNDS = ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated")
_SECONDS = re.compile(r"[0-9]{1,11}")
_EVENT_ID = re.compile(r"evt_[A-Za-z0-9_]{1,200}")
_TYPE = re.compile(r"[a-z0-9_.]{1,80}")
_ID = re.compile(r"[A-Za-z0-9_]{1,255}")


def read(body: bytes, signature: str, *, secret: str, at: datetime) -> Announcement | None:
    """Return what these bytes announce, or None when it is about no refund.

    ``signature`` is the header ``Stripe-Signature``, ``at`` the database's present time.

    Raises:
        UntrustedEventError: not signed with this secret, or more than five minutes ago or ahead.
        MalformedEventError: signed, but no event.
    """
    signed_at = _signed_at(signature)
    if not is_signed(body, signature, secret):
        raise UntrustedEventError("The signature does not belong to this body.")
    if abs(at - signed_at) > TOLERANCE:
        raise UntrustedEventError(
            f"It was signed at {signed_at:%Y-%m-%d %H:%M:%S} UTC, which is more than five minutes "
            "from now. Check the clocks.",
            code="signature_not_of_now",
        )
    event = _event(body)
    if event["type"] not in _ABOUT_REFUNDS:
        return None
    refund = event["data"]["object"]
    marks = refund.get("metadata")
    decision = marks.get(f"{OURS}decision") if isinstance(marks, dict) else None
    return Announcement(
        id=event["id"],
        type=event["type"],
        reference=_id_or_nothing(refund.get("id")),
        decision=_id_or_nothing(decision),
    )


def _signed_at(header: str) -> datetime:
    """Return the time in the header, which is part of what is signed."""
    times = re.findall(r"(?:^|,)t=([^,]*)", header)
    # The library reads signs, underscores and foreign digits as numbers, and the first of two.
    if not header.isascii() or len(times) != 1 or not _SECONDS.fullmatch(times[0]):
        raise UntrustedEventError("The header Stripe-Signature is missing or malformed.")
    return datetime.fromtimestamp(int(times[0]), UTC)


def _event(body: bytes) -> Mapping[str, Any]:
    try:
        event: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedEventError("The body is no JSON.") from error
    whole = (
        isinstance(event, dict)
        and event.get("object") == "event"
        and _fits(_EVENT_ID, event.get("id"))
        and _fits(_TYPE, event.get("type"))
        and isinstance(event.get("data"), dict)
        and isinstance(event["data"].get("object"), dict)
    )
    if not whole:
        raise MalformedEventError("The body is no event with an id, a type and an object.")
    found: Mapping[str, Any] = event
    return found


def _fits(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _id_or_nothing(value: Any) -> str:
    return value if _fits(_ID, value) else ""
