"""The verification of a token, step by step: each step refuses what it is there for."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings

from audit import clock
from audit.signing.tokens import token_digest
from executors import verification
from executors.base import Provider
from executors.enums import AttemptClass
from executors.enums import ExecutionStatus as S
from executors.errors import HeldError, ProviderError, RefusedError
from executors.models import Execution
from tests.executors.conftest import run
from tests.executors.scripted import ScriptedExecutor, failed

pytestmark = pytest.mark.django_db

OTHER_DIGEST = "1" * 64


def verify(execution: Execution) -> verification.Verified:
    return verification.verify(execution, at=clock.now())


def test_a_good_token_is_verified(execution: Execution, executor: ScriptedExecutor) -> None:
    verified = verify(execution)

    assert verified.claims["jti"] == execution.jti
    assert verified.payload == {"amount": 9500, "currency": "usd"}
    assert verified.token_sha256 == token_digest(execution.token)
    assert verified.executor is executor


def test_an_expired_token_may_still_be_read_about_but_not_a_malformed_one(
    execution: Execution,
    make_claims: Callable[..., dict[str, Any]],
    sign: Callable[[dict[str, Any]], str],
    later: Callable[..., None],
) -> None:
    later(hours=5)
    assert verification.verify_to_read(execution).claims["jti"] == execution.jti

    own = {"jti": execution.jti, "sub": execution.subject}
    execution.token = sign(make_claims(**own, exp="tomorrow"))
    with pytest.raises(RefusedError) as refused:
        verification.verify_to_read(execution)

    assert refused.value.code == "claims_malformed"


def test_a_decision_by_a_rule_needs_no_reviewer(enqueue: Callable[..., Execution]) -> None:
    execution = enqueue(decided_by={"rule": "small-refunds", "version": 3}, reviewers=[])

    assert verify(execution).claims["decided_by"]["rule"] == "small-refunds"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ver": 2}, "unknown_version"),
        ({"iss": "urn:somebody:else"}, "wrong_issuer"),
        ({"aud": "urn:somebody:else#executor"}, "wrong_audience"),
        ({"outcome": "REJECTED"}, "not_approved"),
        ({"action": "test.theft"}, "unknown_action"),
        ({"action_version": 2}, "unknown_action"),
        ({"payload_sha256": OTHER_DIGEST}, "payload_mismatch"),
        ({"reviewers": []}, "no_reviewer"),
        ({"decided_by": {"rule": "", "version": 1}}, "no_reviewer"),
        ({"decided_by": {"rule": "small-refunds", "version": 0}}, "no_reviewer"),
        ({"decided_by": None}, "claims_malformed"),
        ({"nbf": None}, "claims_malformed"),
        ({"exp": "tomorrow"}, "claims_malformed"),
        ({"reviewers": None}, "claims_malformed"),
        ({"action": ["test.transfer"]}, "claims_malformed"),
        ({"payload": [9500, "usd"]}, "claims_malformed"),
        ({"agent": {"id": "agt_1"}}, "claims_malformed"),
        ({"agent": {"id": None, "key": "key_1"}}, "claims_malformed"),
    ],
)
def test_a_signed_token_is_refused_for_what_it_says(
    execution: Execution,
    make_claims: Callable[..., dict[str, Any]],
    sign: Callable[[dict[str, Any]], str],
    changes: dict[str, Any],
    code: str,
) -> None:
    own = {"jti": execution.jti, "sub": execution.subject}
    execution.token = sign(make_claims(**(own | changes)))

    with pytest.raises(RefusedError) as refused:
        verify(execution)

    assert refused.value.code == code


@pytest.mark.parametrize(
    "missing",
    ["ver", "iss", "aud", "jti", "sub", "outcome", "payload", "agent", "nbf", "exp", "reviewers"],
)
def test_a_missing_claim_is_refused(
    execution: Execution,
    make_claims: Callable[..., dict[str, Any]],
    sign: Callable[[dict[str, Any]], str],
    missing: str,
) -> None:
    claims = make_claims(jti=execution.jti, sub=execution.subject)
    del claims[missing]
    execution.token = sign(claims)

    with pytest.raises(RefusedError) as refused:
        verify(execution)

    assert refused.value.code == "claims_malformed"


@pytest.mark.parametrize("claim", ["jti", "sub"])
def test_another_decisions_token_is_refused(
    execution: Execution,
    make_claims: Callable[..., dict[str, Any]],
    sign: Callable[[dict[str, Any]], str],
    claim: str,
) -> None:
    own = {"jti": execution.jti, "sub": execution.subject}
    execution.token = sign(make_claims(**(own | {claim: "another"})))

    with pytest.raises(RefusedError) as refused:
        verify(execution)

    assert refused.value.code == "wrong_execution"


def test_a_token_whose_bytes_were_changed_is_refused_with_an_alarm(
    execution: Execution, alarms: Callable[[], list[str]]
) -> None:
    header, payload, signature = execution.token.split(".")
    execution.token = f"{header}.{payload}.{signature[:-4]}AAAA"

    with pytest.raises(RefusedError) as refused:
        verify(execution)

    assert refused.value.code == "token_invalid"
    assert alarms() == ["token_invalid"]


class TestTime:
    """From nbf on, until and not including exp, by the database's clock."""

    def test_the_last_moment_is_good(self, execution: Execution) -> None:
        last = execution.expires_at - timedelta(microseconds=1)

        assert verification.verify(execution, at=last)

    @pytest.mark.parametrize(("seconds", "is_good"), [(23 * 3600, True), (23 * 3600 + 1, False)])
    @pytest.mark.parametrize("earlier", ["iat", "nbf"])
    def test_its_life_is_shorter_than_the_provider_s_memory(
        self, enqueue: Callable[..., Execution], earlier: str, seconds: int, is_good: bool
    ) -> None:
        now = int(clock.now().timestamp())
        times = {"iat": now, "nbf": now, "exp": now + 3600} | {earlier: now + 3600 - seconds}
        execution = enqueue(**times)

        assert run(execution) is (S.SUCCEEDED if is_good else S.REFUSED)
        execution.refresh_from_db()
        assert execution.error_code == ("" if is_good else "lives_too_long")

    def test_at_exp_it_is_over(self, execution: Execution) -> None:
        with pytest.raises(RefusedError) as refused:
            verification.verify(execution, at=execution.expires_at)

        assert refused.value.code == "expired"

    def test_before_nbf_it_waits(self, execution: Execution) -> None:
        with pytest.raises(HeldError) as held:
            verification.verify(execution, at=execution.queued_at - timedelta(seconds=2))

        assert held.value.code == "not_yet_valid"

    def test_the_row_cannot_prolong_it(self, execution: Execution) -> None:
        over = execution.expires_at
        execution.expires_at = over + timedelta(days=1)

        with pytest.raises(RefusedError):
            verification.verify(execution, at=over)


@pytest.mark.usefixtures("own_keys")
class TestKeys:
    """The file of trusted keys alone says whose signature counts."""

    def change_trusted(self, change: Callable[[list[dict[str, Any]]], None]) -> None:
        path = django_settings.COUNTERSIGN_TRUSTED_KEYS_FILE
        content = json.loads(path.read_text())
        change(content["keys"])
        path.unlink()
        path.write_text(json.dumps(content))

    def test_an_unknown_key_holds_with_an_alarm(
        self, execution: Execution, alarms: Callable[[], list[str]]
    ) -> None:
        self.change_trusted(lambda entries: entries.clear())

        with pytest.raises(HeldError) as held:
            verify(execution)

        assert held.value.code == "unknown_key"
        assert alarms() == ["unknown_key"]

    def test_a_key_for_another_use_is_unknown(self, execution: Execution) -> None:
        self.change_trusted(lambda entries: entries[0].update(use="log"))

        with pytest.raises(HeldError) as held:
            verify(execution)

        assert held.value.code == "unknown_key"

    def test_a_revoked_key_refuses_with_an_alarm(
        self, execution: Execution, alarms: Callable[[], list[str]]
    ) -> None:
        self.change_trusted(lambda entries: entries[0].update(revoked_at="2026-01-01T00:00:00Z"))

        with pytest.raises(RefusedError) as refused:
            verify(execution)

        assert refused.value.code == "revoked_key"
        assert alarms() == ["revoked_key"]

    def test_a_missing_file_holds_with_an_alarm(
        self, execution: Execution, alarms: Callable[[], list[str]]
    ) -> None:
        django_settings.COUNTERSIGN_TRUSTED_KEYS_FILE.unlink()

        with pytest.raises(HeldError) as held:
            verify(execution)

        assert held.value.code == "key_file"
        assert alarms() == ["key_file"]


class TestProvider:
    """The decision is about one account; the worker's key must belong to it."""

    def test_the_same_account_is_good(self, execution: Execution) -> None:
        verification.check_provider(verify(execution))

    @pytest.mark.parametrize(
        "other",
        [
            Provider(kind="scripted", account="acct_2", livemode=False),
            Provider(kind="scripted", account="acct_1", livemode=True),
            Provider(kind="other", account="acct_1", livemode=False),
        ],
    )
    def test_another_account_holds(
        self, execution: Execution, executor: ScriptedExecutor, other: Provider
    ) -> None:
        executor.account = other

        with pytest.raises(HeldError) as held:
            verification.check_provider(verify(execution))

        assert held.value.code == "wrong_account"
        assert other.account in held.value.message

    def test_a_silent_provider_is_no_answer(
        self, execution: Execution, executor: ScriptedExecutor
    ) -> None:
        executor.account = failed(AttemptClass.AMBIGUOUS)

        with pytest.raises(ProviderError):
            verification.check_provider(verify(execution))

    @pytest.mark.parametrize("claim", [None, "scripted", {}])
    def test_a_malformed_claim_is_no_match(
        self, enqueue: Callable[..., Execution], claim: Any
    ) -> None:
        with pytest.raises(HeldError) as held:
            verification.check_provider(verify(enqueue(provider=claim)))

        assert held.value.code == "wrong_account"
