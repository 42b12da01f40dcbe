"""What an agent may put into a refund, and what a reviewer may change of it."""

from typing import Any

import pytest
import stripe.params
from jsonschema.exceptions import ValidationError

from executors import complaints, payloads
from executors.errors import PayloadError
from executors.stripe.refunds import StripeRefund
from executors.stripe.schema import REFUND

REFUNDS = StripeRefund()


def payload(**changes: Any) -> dict[str, Any]:
    """A good payload; None takes a field away."""
    whole = {"payment_intent": "pi_1234", "amount": 9500, "currency": "usd"} | changes
    return {name: value for name, value in whole.items() if value is not None}


def refused(broken: dict[str, Any]) -> PayloadError:
    with pytest.raises(PayloadError) as error:
        payloads.validate(REFUNDS, broken)
    return error.value


@pytest.mark.parametrize(
    "good",
    [
        payload(),
        payload(payment_intent=None, charge="ch_1234"),
        payload(payment_intent=None, charge="py_1234"),
        payload(amount=1),
        payload(amount=99_999_999),
        payload(amount=500, currency="jpy"),
        payload(amount=1250, currency="kwd"),
        payload(reason="duplicate"),
        payload(reason="fraudulent"),
        payload(metadata={}),
        payload(metadata={"a-b_C9": "x" * 500}),
        payload(metadata={f"key{number}": "x" for number in range(40)}),
        payload(metadata={"k" * 40: "Äöü, 😀"}),
    ],
)
def test_it_is_accepted(good: dict[str, Any]) -> None:
    payloads.validate(REFUNDS, good)


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        (payload(charge="ch_1234"), ""),
        (payload(payment_intent=None), ""),
        (payload(amount=None), "/amount"),
        (payload(currency=None), "/currency"),
        (payload(payment_intent="ch_1234"), "/payment_intent"),
        (payload(payment_intent="pi_1234\n"), "/payment_intent"),
        (payload(payment_intent="pi_12/34"), "/payment_intent"),
        (payload(payment_intent="pi_12３4"), "/payment_intent"),
        (payload(payment_intent="pi_1"), "/payment_intent"),
        (payload(payment_intent=1234), "/payment_intent"),
        (payload(payment_intent=None, charge="re_1234"), "/charge"),
        (payload(amount=0), "/amount"),
        (payload(amount=-1), "/amount"),
        (payload(amount=100_000_000), "/amount"),
        (payload(amount="100"), "/amount"),
        (payload(amount=True), "/amount"),
        (payload(amount=1.5), "/amount"),
        (payload(currency="USD"), "/currency"),
        (payload(currency="usd\n"), "/currency"),
        (payload(currency="xxx"), "/currency"),
        (payload(amount=1251, currency="kwd"), "/amount"),
        (payload(reason="because"), "/reason"),
        (payload(metadata=[]), "/metadata"),
        (payload(metadata={"a": 1}), "/metadata/a"),
        (payload(metadata={"a": ""}), "/metadata/a"),
        (payload(metadata={"a": "x" * 501}), "/metadata/a"),
        (payload(metadata={"a": None}), "/metadata/a"),
        (payload(metadata={"": "x"}), "/metadata/"),
        (payload(metadata={"k" * 41: "x"}), f"/metadata/{'k' * 41}"),
        (payload(metadata={"a[b]": "x"}), "/metadata/a[b]"),
        (payload(metadata={"a\n": "x"}), "/metadata/a\n"),
        (payload(metadata={"countersign_decision": "x"}), "/metadata/countersign_decision"),
        (payload(metadata={f"key{number}": "x" for number in range(41)}), "/metadata"),
        (payload(reverse_transfer=True), "/reverse_transfer"),
        ({**payload(), "reason": None}, "/reason"),
    ],
)
def test_it_is_refused_with_the_field(broken: dict[str, Any], field: str) -> None:
    assert refused(broken).field == field


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (payload(charge="ch_1234"), "Give exactly one of 'payment_intent' and 'charge'."),
        (payload(payment_intent=None), "Give exactly one of 'payment_intent' and 'charge'."),
        (payload(amount=None), "The field 'amount' is missing."),
        (payload(amount=True), "This must be an integer."),
        (payload(amount="100"), "This must be an integer."),
        (payload(amount=0), "At least 1 is allowed."),
        (payload(amount=100_000_000), "At most 99,999,999 is allowed."),
        (payload(reason="why"), "One of these is allowed: duplicate, fraudulent, "
                                "requested_by_customer."),
        (payload(metadata={"a": ""}), "At least this many characters are needed: 1."),
        (payload(metadata={"a": "x" * 501}), "At most 500 characters are allowed."),
        (payload(metadata={f"k{n}": "x" for n in range(41)}), "At most 40 names are allowed."),
        (payload(metadata={"countersign_a": "x"}), "The name 'countersign_a' is not allowed here."),
        (payload(via="x"), "The field 'via' is not known."),
        (payload(via="x", to="y"), "The fields 'to', 'via' are not known."),
    ],
)  # fmt: skip
def test_the_sentence_says_the_rule_and_repeats_no_payload(
    broken: dict[str, Any], sentence: str
) -> None:
    assert refused(broken).message == sentence


def test_a_name_that_never_ends_is_cut() -> None:
    error = refused(payload(**{"x" * 60_000: "y"}))

    assert (len(error.message), len(error.field)) == (107, 82)


def test_a_rule_without_words_of_its_own_has_a_sentence() -> None:
    rule = ValidationError("1 is not a multiple of 2", validator="multipleOf", validator_value=2)

    assert complaints.sentence(rule) == "This does not fit the schema of the action."


def test_what_does_not_have_the_form_is_told_the_form() -> None:
    assert refused(payload(currency="USD")).message == (
        "This does not have the form that is asked for. The payment's own, as a lower-case "
        "ISO 4217 code. It is only checked."
    )


def test_every_field_is_one_that_stripe_knows() -> None:
    known = stripe.params.RefundCreateParams.__annotations__

    assert set(REFUND["properties"]) <= set(known)


def test_the_reasons_are_stripes() -> None:
    annotation = str(stripe.params.RefundCreateParams.__annotations__["reason"])

    assert all(repr(reason) in annotation for reason in REFUND["properties"]["reason"]["enum"])


ORIGINAL = payload(reason="duplicate", metadata={"ticket": "T-1"})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"amount": 9499},
        {"amount": 1},
        {"reason": "requested_by_customer"},
        {"reason": None},
        {"metadata": {"ticket": "T-1", "checked": "yes"}},
    ],
)
def test_a_reviewer_may(changes: dict[str, Any]) -> None:
    patched = {k: v for k, v in (ORIGINAL | changes).items() if v is not None}

    REFUNDS.check_patch(ORIGINAL, patched)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": 9501}, "/amount"),
        ({"currency": "eur"}, "/currency"),
        ({"payment_intent": "pi_5678"}, "/payment_intent"),
        ({"payment_intent": None, "charge": "ch_1234"}, "/payment_intent"),
        ({"charge": "ch_1234"}, "/charge"),
        ({"metadata": {}}, "/metadata/ticket"),
        ({"metadata": None}, "/metadata/ticket"),
        ({"metadata": {"ticket": "T-2"}}, "/metadata/ticket"),
    ],
)
def test_a_reviewer_may_not(changes: dict[str, Any], field: str) -> None:
    patched = {k: v for k, v in (ORIGINAL | changes).items() if v is not None}

    with pytest.raises(PayloadError) as error:
        REFUNDS.check_patch(ORIGINAL, patched)

    assert error.value.field == field


def test_metadata_may_be_added_where_there_was_none() -> None:
    REFUNDS.check_patch(payload(), payload(metadata={"checked": "yes"}))
