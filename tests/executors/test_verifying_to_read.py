"""What is asked of a token before the provider is only read, and words for the wrong account."""

from collections.abc import Callable
from typing import Any

import pytest

from executors import verification
from executors.base import Provider
from executors.errors import HeldError, RefusedError
from executors.models import Execution
from tests.executors.scripted import ScriptedExecutor

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "urn:somebody:else"}, "wrong_issuer"),
        ({"jti": "dec_another"}, "wrong_execution"),
        ({"outcome": "REJECTED"}, "not_approved"),
        ({"payload_sha256": "1" * 64}, "payload_mismatch"),
        ({"agent": None}, "claims_malformed"),
        ({"exp": None}, "claims_malformed"),
        ({"exp": "tomorrow"}, "claims_malformed"),
        ({"exp": 10**12}, "claims_malformed"),
        ({"exp": 2**53 - 1}, "claims_malformed"),
    ],
)
def test_a_token_that_is_not_good_is_not_even_looked_for(
    execution: Execution,
    make_claims: Callable[..., dict[str, Any]],
    sign: Callable[[dict[str, Any]], str],
    changes: dict[str, Any],
    code: str,
) -> None:
    own = {"jti": execution.jti, "sub": execution.subject}
    execution.token = sign(make_claims(**(own | changes)))

    with pytest.raises(RefusedError) as refused:
        verification.verify_to_read(execution)

    assert refused.value.code == code


def test_a_token_without_a_deadline_is_not_looked_for(
    execution: Execution,
    make_claims: Callable[..., dict[str, Any]],
    sign: Callable[[dict[str, Any]], str],
) -> None:
    claims = make_claims(jti=execution.jti, sub=execution.subject)
    del claims["exp"]
    execution.token = sign(claims)

    with pytest.raises(RefusedError) as refused:
        verification.verify_to_read(execution)

    assert refused.value.code == "claims_malformed"


def test_it_is_good_from_the_very_second_of_its_decision(execution: Execution) -> None:
    claims = verification.verify_to_read(execution).claims
    decided_at = execution.queued_at.replace(microsecond=0)

    assert decided_at.timestamp() == claims["nbf"]
    assert verification.verify(execution, at=decided_at).claims == claims


@pytest.mark.parametrize(("livemode", "mode"), [(True, "live"), (False, "test")])
def test_the_wrong_account_is_named_with_its_mode(
    execution: Execution, executor: ScriptedExecutor, livemode: bool, mode: str
) -> None:
    executor.account = Provider(kind="other", account="acct_9", livemode=livemode)

    with pytest.raises(HeldError) as held:
        verification.check_provider(verification.verify_to_read(execution))

    assert "about scripted acct_1 (test mode)" in held.value.message
    assert f"belongs to other acct_9 ({mode} mode)" in held.value.message


def test_a_decision_with_modifications_is_carried_out_too(
    enqueue: Callable[..., Execution],
) -> None:
    execution = enqueue(outcome="APPROVED_WITH_MODIFICATIONS")

    assert verification.verify_to_read(execution).claims["jti"] == execution.jti
