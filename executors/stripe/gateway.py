"""Stripe: the only door to it, and the only importer of its library.

Retries are ours, so that each attempt is recorded: the library's own are off. What is sent is the
stored body, byte for byte, whatever a newer library would encode. Every failure is translated in
one place into what it proves.
"""

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any
from urllib.parse import urlsplit

import stripe
from django.conf import settings

from audit import failpoints
from executors.base import Prepared, Provider
from executors.enums import AttemptClass
from executors.errors import ProviderError
from executors.stripe import cleaning

#: Pinned, and stored with every intent: an upgrade of the library changes nothing that is sent.
API_VERSION = "2026-10-28.endive"

#: Connect and read timeouts in seconds. Together they end before the worker's time limits.
MONEY_TIMEOUT = (5.0, 25.0)
#: All reads for one set of facts together, in seconds: a person, an agent or a lease is waiting.
FACTS_BUDGET = 3.0
#: Reads by the worker, which decide what becomes of money, may take longer.
LOOK_UP_BUDGET = 20.0
#: One listing of everything that was made in a stretch of time; a task may make several.
LISTING_BUDGET = 15.0

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_PAGE = 100

# The library would report timings of our requests with each further one.
stripe.enable_telemetry = False


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A good answer: the object, its texts clean, and what support asks for."""

    data: Mapping[str, Any]
    http_status: int
    request_id: str


class TooLateError(Exception):
    """The request did not leave, because its time was over."""


class Gateway:
    """Stripe under one key. Each call opens its own connection.

    A kept-alive connection that the other side closed meanwhile would look like a lost answer,
    and a lost answer about money is expensive.
    """

    def __init__(self, api_key: str, *, budget: float = FACTS_BUDGET) -> None:
        self._api_key = api_key
        self._base = settings.STRIPE_API_BASE.rstrip("/")
        self._deadline = time.monotonic() + budget
        _check_destination(api_key, self._base)

    def post(self, prepared: Prepared, idempotency_key: str, *, not_after: float = inf) -> Reply:
        """Send the stored body under the stored key, once; nothing leaves at ``not_after``.

        Raises:
            ProviderError: with the class of what this attempt proved.
        """
        http = _StoredBody(prepared.body.encode(), idempotency_key, not_after=not_after)
        options = {"idempotency_key": idempotency_key, "stripe_version": prepared.api_version}
        return self._request(http, "post", prepared.path, options)

    def get(self, path: str, **params: Any) -> Reply:
        """Read one object, within what is left of this gateway's time budget.

        Raises:
            ProviderError: unreadable, or not there (``resource_missing``).
        """
        left = max(self._deadline - time.monotonic(), 0.001)
        return self._request(_Once(timeout=(left / 3, left * 2 / 3)), "get", path, params)

    def pages(self, path: str, **params: Any) -> Iterator[Mapping[str, Any]]:
        """Yield every object of a list, paging to its end.

        Raises:
            ProviderError: a page is unreadable; what came before is no complete listing.
        """
        while True:
            page = self.get(path, limit=_PAGE, **params).data
            objects = page.get("data")
            if not isinstance(objects, list) or not all(map(_has_id, objects)):
                raise _ambiguous("unreadable_answer", "Stripe's answer is not a list of objects.")
            failpoints.reached("page:read")
            yield from objects
            if not page.get("has_more") or not objects:
                return
            params["starting_after"] = objects[-1]["id"]

    def provider(self) -> Provider:
        """Return whose key this is; asked once per key, then remembered.

        Raises:
            ProviderError: Stripe did not say.
        """
        known = _accounts.get(self._fingerprint())
        if known is None:
            account = self.get("/v1/account").data
            if not cleaning.is_name(account.get("id"), cleaning.MOST_ACCOUNT):
                raise _ambiguous("unreadable_answer", "Stripe's answer is not an account.")
            known = _accounts[self._fingerprint()] = account["id"]
        kind = "stripe-local" if self._base else "stripe"
        return Provider(kind=kind, account=known, livemode="_live_" in self._api_key)

    def _fingerprint(self) -> str:
        return hashlib.sha256(f"{self._base} {self._api_key}".encode()).hexdigest()

    def _request(self, http: "_Once", method: str, path: str, options: Mapping[str, Any]) -> Reply:
        """Make one request. Every error of every kind is translated here and nowhere else."""
        client = stripe.StripeClient(
            self._api_key,
            stripe_version=API_VERSION,
            base_addresses={"api": self._base} if self._base else {},
            max_network_retries=0,
            http_client=http,
        )
        try:
            answer = client.raw_request(method, path, **options)
            data = cleaning.clean(answer.data)
        except Exception as error:
            raise _translated(error) from error
        finally:
            http.close()  # type: ignore[no-untyped-call]
        if not isinstance(data, dict):
            raise _ambiguous("unreadable_answer", "Stripe's answer is not an object.")
        request_id = cleaning.cut(answer.request_id or "", cleaning.MOST_REQUEST_ID)
        return Reply(data=data, http_status=answer.code, request_id=request_id)


def money_gateway(*, budget: float = FACTS_BUDGET) -> Gateway:
    """Return the gateway under the key that moves money; the worker alone has it.

    ``budget`` is for all its reads together, in seconds.

    Raises:
        ProviderError: this process has no such key.
    """
    return Gateway(_present(settings.STRIPE_API_KEY, "STRIPE_API_KEY"), budget=budget)


def reading_gateway() -> Gateway:
    """Return the gateway for facts: the worker's own key there, elsewhere the read-only one.

    Raises:
        ProviderError: this process has no key.
    """
    keys = [settings.STRIPE_READ_KEY, settings.STRIPE_API_KEY]
    if settings.COUNTERSIGN_ROLE == "money":
        keys.reverse()
    return Gateway(_present(keys[0] or keys[1], "STRIPE_READ_KEY"))


def is_signed(body: bytes, header: str, secret: str) -> bool:
    """Tell whether Stripe signed these bytes with this secret; when, is another question."""
    try:
        return bool(stripe.WebhookSignature.verify_header(body, header, secret))
    except (stripe.SignatureVerificationError, ValueError):
        return False


class _Once(stripe.RequestsClient):
    """The library's transport, with a session of its own that follows no redirect."""

    def __init__(self, *, timeout: tuple[float, float]) -> None:
        super().__init__(timeout=timeout)
        self._session = self.requests.Session()
        # A redirect would carry the request, or its answer, to another place.
        self._session.max_redirects = 0


class _StoredBody(_Once):
    """Sends the stored bytes instead of whatever the library encoded."""

    def __init__(self, body: bytes, idempotency_key: str, *, not_after: float) -> None:
        super().__init__(timeout=MONEY_TIMEOUT)
        self._body = body
        self._key = idempotency_key
        self._not_after = not_after

    def request(  # type: ignore[override]
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send, if the key on the envelope is the stored one and there is still time."""
        if (headers or {}).get("Idempotency-Key") != self._key:
            raise RuntimeError("The library changed the idempotency key; nothing was sent.")
        if time.monotonic() >= self._not_after:
            # This process stood still after its last check.
            raise TooLateError
        return super().request(method, url, headers, self._body)


#: Account ids by fingerprint of address and key, for the life of the process.
_accounts: dict[str, str] = {}


def _check_destination(api_key: str, base: str) -> None:
    """A live key goes to Stripe's own address only; another address is on this machine."""
    if not base:
        return
    if "_live_" in api_key:
        raise _misconfigured("live_key_elsewhere", "A live key is sent to Stripe itself only.")
    if urlsplit(base).hostname not in _LOOPBACK:
        raise _misconfigured("base_not_local", "STRIPE_API_BASE is not an address of this machine.")


def _present(key: str, name: str) -> str:
    if not key:
        raise _misconfigured("no_provider_key", f"{name} is not set in this process.")
    return key


def _has_id(answer: Any) -> bool:
    return isinstance(answer, dict) and isinstance(answer.get("id"), str)


def _translated(error: Exception) -> ProviderError:
    """Say what an error proves. Whatever is not on the closed list is ambiguous."""
    if isinstance(error, TooLateError):
        late = "The time to send this was over before it left; nothing was sent."
        return _error(AttemptClass.NOT_EXECUTED, "too_late", late)
    if not isinstance(error, stripe.StripeError):
        return _ambiguous("unexpected", f"The Stripe library failed: {error!r}")
    if isinstance(error, stripe.APIConnectionError):
        return _ambiguous("connection_error", str(error.user_message))
    body = error.json_body if isinstance(error.json_body, dict) else {}
    details = body.get("error")
    if not isinstance(details, dict):
        details = {}
    code = str(details.get("code") or details.get("type") or "unreadable_answer")
    return _error(
        _class_of(error.http_status or 0, code, str(details.get("type"))),
        code,
        str(details.get("message") or error.user_message),
        http_status=error.http_status,
        request_id=cleaning.cut(error.request_id or "", cleaning.MOST_REQUEST_ID),
        retry_after=_seconds((error.headers or {}).get("retry-after")),
    )


def _class_of(status: int, code: str, kind: str) -> AttemptClass:
    """The closed list. ``kind`` is Stripe's own error type: a proxy's page has none."""
    if kind == "None" or code == "lock_timeout":
        return AttemptClass.AMBIGUOUS
    if status == 429:
        return AttemptClass.NOT_EXECUTED
    if status in (401, 403):
        return AttemptClass.CONFIGURATION
    if status in (400, 404) and kind == "idempotency_error":
        return AttemptClass.OUR_BUG
    if status in (400, 402, 404) and kind in ("invalid_request_error", "card_error"):
        return AttemptClass.FINAL
    return AttemptClass.AMBIGUOUS


#: The longest wait, in seconds, that is believed: no decision may be carried out for so long.
_LONGEST_WAIT = 24 * 3600


def _seconds(retry_after: str | None) -> int | None:
    if retry_after is None or not (retry_after.isascii() and retry_after.isdigit()):
        return None
    return min(int(retry_after[:10]), _LONGEST_WAIT)


def _ambiguous(code: str, message: str) -> ProviderError:
    return _error(AttemptClass.AMBIGUOUS, code, message)


def _misconfigured(code: str, message: str) -> ProviderError:
    return _error(AttemptClass.CONFIGURATION, code, message)


def _error(kind: AttemptClass, code: str, message: str, **answer: Any) -> ProviderError:
    """Return an error that can be written down, whatever Stripe or its library said."""
    code, message = cleaning.code_and_message(code, message)
    return ProviderError(message, attempt_class=kind, code=code, **answer)
