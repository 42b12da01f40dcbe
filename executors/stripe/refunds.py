"""``stripe.refund``: give a customer's money back, all of it or a part."""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from executors.base import (
    Description,
    Executor,
    FactLine,
    Facts,
    Listed,
    Prepared,
    Provider,
    Receipt,
    Share,
)
from executors.enums import AttemptClass, Reversibility
from executors.errors import (
    FactsUnavailableError,
    LookUpMismatchError,
    PayloadError,
    ProviderError,
)
from executors.money import Money, check_amount
from executors.stripe import payments, wording
from executors.stripe.cleaning import MOST_CODE, MOST_ID, MOST_STATUS, cut, is_name
from executors.stripe.gateway import (
    API_VERSION,
    LISTING_BUDGET,
    LOOK_UP_BUDGET,
    Reply,
    money_gateway,
    reading_gateway,
)
from executors.stripe.schema import OURS, REFUND

_PATH = "/v1/refunds"
_ENDED_BADLY = ("failed", "canceled")
#: What names something in a refund, and how long it may be: a currency code has three letters.
_NAMES = {"id": MOST_ID, "status": MOST_STATUS, "currency": 3}


class StripeRefund(Executor):
    """Version 1: amount of a payment, which is named by its PaymentIntent or its charge."""

    name = "stripe.refund"
    aliases = ("stripe_refund",)
    version = 1
    schema = REFUND
    editable = ("amount", "reason", "metadata")
    reversibility = Reversibility.IRREVERSIBLE
    summary = "Refund a payment, all of it or a part, to whatever paid for it."
    unsettled = ("pending", "requires_action")
    is_listable = True

    def check(self, payload: Mapping[str, Any]) -> None:
        """Refuse an unknown currency, or an amount that it cannot express."""
        check_amount(payload["amount"], payload["currency"])

    def check_patch(self, original: Mapping[str, Any], patched: Mapping[str, Any]) -> None:
        """Allow to lower the amount, to change the reason and to add metadata: nothing else."""
        for field in ("payment_intent", "charge", "currency"):
            if original.get(field) != patched.get(field):
                raise PayloadError("A reviewer cannot change this.", field=f"/{field}")
        if patched["amount"] > original["amount"]:
            raise PayloadError("A reviewer can only lower the amount.", field="/amount")
        kept = patched.get("metadata", {})
        for key, value in original.get("metadata", {}).items():
            if kept.get(key) != value:
                raise PayloadError(
                    "A reviewer can add metadata, but not change or remove what is there.",
                    field=f"/metadata/{key}",
                )

    def money(self, payload: Mapping[str, Any]) -> Money:
        """Return the amount to be refunded."""
        return Money(amount_minor=payload["amount"], currency=payload["currency"])

    def describe(self, payload: Mapping[str, Any], facts: Facts | None) -> Description:
        """Say how much goes to whom, and on which card."""
        return wording.describe(payload, self.money(payload), facts)

    def facts(self, payload: Mapping[str, Any]) -> Facts:
        """Read the payment, within the gateway's three seconds."""
        field = payments.field_of(payload)
        try:
            return payments.read(reading_gateway(), field, payload[field])
        except ProviderError as error:
            if error.code == "resource_missing":
                raise PayloadError(
                    "Stripe does not know this payment.", field=f"/{field}", code="unknown_payment"
                ) from error
            raise FactsUnavailableError(
                f"Stripe cannot be read: {error.message}", because=error
            ) from error

    def check_facts(self, payload: Mapping[str, Any], facts: Facts) -> None:
        """Refuse what Stripe would refuse: currency, disputed, not captured, above the rest."""
        payments.check(self.money(payload), facts)

    def fact_lines(self, facts: Facts) -> Sequence[FactLine]:
        """Say what Stripe said about the payment."""
        return wording.fact_lines(facts)

    def share(self, payload: Mapping[str, Any], facts: Facts) -> Share:
        """Return how much of the captured payment is refunded, asked for, and left."""
        return Share(
            of=facts.material["charge"] or "",
            total=facts.material["captured"],
            gone=facts.material["refunded"],
            asked=payload["amount"],
            currency=facts.material["currency"],
        )

    def provider(self) -> Provider:
        """Return the account of the key that moves money."""
        return money_gateway().provider()

    def prepare(self, claims: Mapping[str, Any], token_sha256: str) -> Prepared:
        """Encode the refund. The currency is not sent: Stripe takes the payment's own."""
        body = urlencode(_parameters(claims, token_sha256))
        return Prepared(method="POST", path=_PATH, body=body, api_version=API_VERSION)

    def covers(self, claims: Mapping[str, Any], token_sha256: str, prepared: Prepared) -> bool:
        """Compare every parameter; metadata may have more than the payload's and ours."""
        if (prepared.method, prepared.path) != ("POST", _PATH):
            return False
        pairs = parse_qsl(prepared.body, keep_blank_values=True)
        sent = dict(pairs)
        expected = dict(_parameters(claims, token_sha256))
        more = sent.keys() - expected.keys()
        return (
            len(sent) == len(pairs)
            and expected.items() <= sent.items()
            and all(name.startswith("metadata[") for name in more)
        )

    def execute(
        self, prepared: Prepared, idempotency_key: str, *, not_after: float = math.inf
    ) -> Receipt:
        """Post the refund, once."""
        return _receipt(money_gateway().post(prepared, idempotency_key, not_after=not_after))

    def look_up(self, claims: Mapping[str, Any], token_sha256: str) -> Receipt | None:
        """Read all refunds of the payment and return ours, if it matches in every respect."""
        payload = claims["payload"]
        field = payments.field_of(payload)
        listed = money_gateway(budget=LOOK_UP_BUDGET).pages(_PATH, **{field: payload[field]})
        marks = _marks(claims, token_sha256)
        ours = [refund for refund in listed if _is_marked(refund, marks)]
        if not ours:
            return None
        if len(ours) > 1:
            raise _mismatch("look_up_duplicate", f"{len(ours)} refunds carry this decision.")
        refund = ours[0]
        if not _is_whole(refund, payload, marks):
            raise _mismatch(
                "look_up_mismatch", f"{refund['id']} carries this decision but differs from it."
            )
        return _receipt(Reply(data=refund, http_status=200, request_id=""))

    def read_back(self, reference: str) -> Receipt:
        """Read the refund. The reference may be one that a person has typed."""
        path = f"{_PATH}/{quote(reference, safe='')}"
        return _receipt(money_gateway(budget=LOOK_UP_BUDGET).get(path))

    def listed(self, since: datetime, until: datetime) -> Iterator[Listed]:
        """Read all refunds of the account that were made then."""
        created = {"gte": int(since.timestamp()), "lt": math.ceil(until.timestamp())}
        for refund in money_gateway(budget=LISTING_BUDGET).pages(_PATH, created=created):
            made = refund.get("created")
            receipt = _receipt(Reply(data=refund, http_status=200, request_id=""))
            decision: Any = _metadata(refund).get(f"{OURS}decision")
            yield Listed(
                receipt=receipt,
                created_at=datetime.fromtimestamp(made if type(made) is int else 0, UTC),
                # Whoever has a key can write anything there: what is no id is looked up nowhere.
                decision=decision if is_name(decision, MOST_ID) else "",
                whole=refund,
            )

    def is_of(self, claims: Mapping[str, Any], token_sha256: str, found: Listed) -> bool:
        """Compare payment, amount, currency and all of our metadata."""
        return _is_whole(found.whole, claims["payload"], _marks(claims, token_sha256))


def _parameters(claims: Mapping[str, Any], token_sha256: str) -> list[tuple[str, str]]:
    """Return what is sent, in the order in which it is sent."""
    payload = claims["payload"]
    field = payments.field_of(payload)
    pairs = [(field, payload[field]), ("amount", str(payload["amount"]))]
    if "reason" in payload:
        pairs.append(("reason", payload["reason"]))
    metadata = {**payload.get("metadata", {}), **_marks(claims, token_sha256)}
    return pairs + [(f"metadata[{key}]", metadata[key]) for key in sorted(metadata)]


def _marks(claims: Mapping[str, Any], token_sha256: str) -> dict[str, str]:
    """Return the metadata by which reconciliation finds what belongs to a decision."""
    return {
        f"{OURS}request": claims["sub"],
        f"{OURS}decision": claims["jti"],
        f"{OURS}token_sha256": token_sha256,
    }


def _is_marked(refund: Mapping[str, Any], marks: Mapping[str, str]) -> bool:
    """One mark is enough to be ours; whether all of it matches is another question."""
    metadata = _metadata(refund)
    telling = (f"{OURS}decision", f"{OURS}token_sha256")
    return any(metadata.get(key) == marks[key] for key in telling)


def _is_whole(
    refund: Mapping[str, Any], payload: Mapping[str, Any], marks: Mapping[str, str]
) -> bool:
    """Tell whether a refund matches a decision in every respect."""
    field = payments.field_of(payload)
    expected = {name: payload[name] for name in ("amount", "currency", field)}
    metadata = _metadata(refund)
    return expected.items() <= dict(refund).items() and marks.items() <= metadata.items()


def _metadata(refund: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = refund.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _receipt(reply: Reply) -> Receipt:
    """Read a refund. What is not clearly one proves nothing."""
    refund = reply.data
    named = all(is_name(refund.get(field), most) for field, most in _NAMES.items())
    readable = named and type(refund.get("amount")) is int
    if refund.get("object") != "refund" or not readable:
        raise ProviderError(
            "Stripe's answer is not a refund.",
            attempt_class=AttemptClass.AMBIGUOUS,
            code="unreadable_answer",
            http_status=reply.http_status,
            request_id=reply.request_id,
        )
    failed = refund["status"] in _ENDED_BADLY
    why = refund.get("failure_reason") or refund["status"]
    return Receipt(
        reference=refund["id"],
        provider_status=refund["status"],
        amount_minor=refund["amount"],
        currency=refund["currency"],
        request_id=reply.request_id,
        http_status=reply.http_status,
        failed=failed,
        failure_code=cut(str(why), MOST_CODE) if failed else "",
    )


def _mismatch(code: str, message: str) -> LookUpMismatchError:
    return LookUpMismatchError(
        f"{message} Read the payment at Stripe.",
        attempt_class=AttemptClass.AMBIGUOUS,
        code=code,
    )
