"""What a verification of the record finds about executions: tokens, what was sent, receipts."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings

from approvals.models import User
from audit import clock
from executors import proof, services
from executors.enums import AttemptClass, ReadingResult
from executors.enums import ExecutionStatus as S
from executors.models import Attempt, Execution, Intent, Reading
from tests.executors.conftest import run
from tests.executors.scripted import ScriptedExecutor, done, failed

pytestmark = pytest.mark.django_db


def found(execution: Execution) -> list[str]:
    execution.refresh_from_db()
    return [
        finding.text.replace(f" executors_execution:{execution.pk}", "")
        for finding in proof.check_executions([execution])
    ]


@pytest.fixture
def succeeded(execution: Execution) -> Execution:
    assert run(execution) == S.SUCCEEDED
    execution.refresh_from_db()
    return execution


def change(row: Any, **columns: Any) -> None:
    """Change a row past everything, as whoever has the database's password can."""
    type(row).objects.filter(pk=row.pk).update(**columns)


def change_receipt(execution: Execution, **values: Any) -> None:
    change(execution, receipt=(execution.receipt or {}) | values)


class TestAnHonestExecution:
    def test_that_waits_has_no_findings(self, execution: Execution) -> None:
        assert found(execution) == []

    def test_that_succeeded_and_was_followed_has_no_findings(
        self, succeeded: Execution, executor: ScriptedExecutor
    ) -> None:
        assert found(succeeded) == []

        executor.shown = done(provider_status="pending")
        services.follow(execution_id=succeeded.pk, worker="w:1")

        assert found(succeeded) == []

    def test_that_was_taken_back_has_no_findings(self, reversed_one: Execution) -> None:
        assert found(reversed_one) == []

    def test_that_failed_with_an_answer_has_no_findings(
        self, execution: Execution, executor: ScriptedExecutor
    ) -> None:
        executor.answers = [done(provider_status="failed", failed=True, failure_code="lost_card")]
        assert run(execution) == S.FAILED

        assert found(execution) == []

    def test_that_nobody_knows_about_or_that_a_person_resolved_has_no_findings(
        self, unknown: Execution, reviewer: User
    ) -> None:
        assert found(unknown) == []

        services.resolve(
            execution_id=unknown.pk,
            user=reviewer,
            reason="Read at the provider.",
            outcome=S.SUCCEEDED,
            provider_reference="tr_9",
        )

        assert found(unknown) == []

    def test_that_moves_no_money_has_no_findings(self, enqueue: Callable[..., Execution]) -> None:
        free = enqueue(payload={"what": "a note"})
        run(free)

        assert found(free) == []


class TestAToken:
    def test_is_judged_as_of_its_first_attempt(
        self, succeeded: Execution, later: Callable[..., None]
    ) -> None:
        later(hours=48)

        assert found(succeeded) == []

    @pytest.mark.parametrize("by", [timedelta(hours=4), timedelta(seconds=-2)])
    def test_outside_whose_time_an_attempt_was_begun_is_found(
        self, succeeded: Execution, by: timedelta
    ) -> None:
        [attempt] = succeeded.attempts.all()
        change(attempt, started_at=attempt.started_at + by)

        [line] = found(succeeded)
        assert line.startswith("token Its token was not good when it was used: ")
        assert line.endswith(("expired.", "not_yet_valid."))

    def test_of_which_a_later_attempt_came_too_late_is_found(self, succeeded: Execution) -> None:
        [attempt] = succeeded.attempts.all()
        Attempt.objects.create(
            execution=succeeded,
            number=2,
            fence=2,
            started_at=attempt.started_at + timedelta(hours=4),
        )

        assert found(succeeded) == ["token Its token was not good when it was used: expired."]

    @pytest.mark.parametrize(
        ("minutes", "codes"),
        [(-10, ["token Its token was not good when it was used: revoked_key."]), (10, [])],
    )
    @pytest.mark.usefixtures("own_keys")
    def test_whose_key_was_revoked_counts_if_that_was_later(
        self, succeeded: Execution, minutes: int, codes: list[str]
    ) -> None:
        revoke_key(clock.now() + timedelta(minutes=minutes))

        assert found(succeeded) == codes

    @pytest.mark.usefixtures("own_keys")
    def test_of_a_key_that_is_not_trusted_or_was_not_valid_is_found(
        self, succeeded: Execution
    ) -> None:
        change_key(not_after=datetime(2021, 1, 1, tzinfo=UTC).isoformat())
        assert found(succeeded) == ["token Its token was not good when it was used: token_invalid."]

        change_key(use="log")
        assert found(succeeded) == ["token Its token was not good when it was used: unknown_key."]

    def test_that_lives_too_long_or_says_something_else_is_found(
        self, execution: Execution, make_claims: Callable[..., Any], sign: Callable[..., str]
    ) -> None:
        own = {"jti": execution.jti, "sub": execution.subject}
        for changes, code in (
            ({"exp": make_claims()["iat"] + 24 * 3600}, "lives_too_long"),
            ({"payload_sha256": "1" * 64}, "payload_mismatch"),
            ({"sub": "req_another"}, "wrong_execution"),
            ({"reviewers": []}, "no_reviewer"),
            ({"exp": -(10**15)}, "claims_malformed"),
        ):
            change(execution, token=sign(make_claims(**(own | changes))))
            told = f"token Its token was not good when it was used: {code}."
            assert found(execution) == [told]

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("action", "test.other"),
            ("action_version", 2),
            ("agent", "agt_2"),
            ("agent_key", "key_2"),
            ("expires_at", datetime(2030, 1, 1, tzinfo=UTC)),
        ],
    )
    def test_that_says_something_else_than_a_column_is_found(
        self, execution: Execution, column: str, value: Any
    ) -> None:
        change(execution, **{column: value})

        assert found(execution) == [f"token Its columns and its token differ: {column}."]


class TestWhatWasSent:
    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("body", "amount=1&release=1"),
            ("idempotency_key", "cs_another"),
            ("account", "acct_2"),
        ],
    )
    def test_must_be_what_the_token_authorises(
        self, succeeded: Execution, column: str, value: str
    ) -> None:
        change(succeeded.intent, **{column: value})

        assert found(succeeded) == [
            "sent What was written down to be sent for it is not what its token authorises."
        ]

    def test_must_be_written_down(self, succeeded: Execution) -> None:
        Intent.objects.all().delete()
        assert found(succeeded) == ["sent What was sent for it is not written down."]

        Attempt.objects.all().delete()
        assert found(succeeded) == [
            "sent What was sent for it is not written down.",
            "sent It succeeded, and no attempt is written down.",
        ]


class TestAReceipt:
    @pytest.mark.parametrize(
        ("values", "told"),
        [
            ({"amount": 9499}, "is about another amount or currency than its token."),
            ({"currency": "eur"}, "is about another amount or currency than its token."),
            ({"token_sha256": "0" * 64}, "names another token."),
            ({"reference": "tr_2"}, "is about another object than its columns."),
            ({"resolved_by": "mallory"}, "is a person's word, and no person resolved it."),
        ],
    )
    def test_that_says_something_else_is_found(
        self, succeeded: Execution, values: dict[str, Any], told: str
    ) -> None:
        change_receipt(succeeded, **values)

        assert found(succeeded) == [f"receipt Its receipt {told}"]

    def test_that_is_gone_is_found(self, reversed_one: Execution) -> None:
        change(reversed_one, receipt=None)

        assert found(reversed_one) == ["receipt It has no receipt, although it succeeded."]

    @pytest.mark.parametrize("receipt", [["tr_1"], "tr_1"])
    def test_that_is_none_is_found(self, succeeded: Execution, receipt: Any) -> None:
        change(succeeded, receipt=receipt)

        [line] = found(succeeded)
        assert line.startswith("receipt Its receipt is none")

    def test_of_something_that_waits_is_found(self, execution: Execution) -> None:
        change(execution, receipt={"reference": ""})

        [line] = found(execution)
        assert "before there was an answer" in line

    def test_with_another_status_than_was_last_read_is_found(self, succeeded: Execution) -> None:
        told = "receipt Its provider status is not what the provider was last seen to say."
        change(succeeded, provider_status="pending")
        assert found(succeeded) == [told]

        for status in ("pending", "failed"):
            Reading.objects.create(
                execution=succeeded,
                begun_at=clock.now(),
                result=ReadingResult.FOUND,
                provider_status=status,
            )
        assert found(succeeded) == [told]


def test_many_are_checked_with_as_many_queries_as_one(
    enqueue: Callable[..., Execution], executor: ScriptedExecutor, django_assert_num_queries: Any
) -> None:
    executor.answers = [done(), failed(AttemptClass.FINAL), done()]
    rows = [enqueue() for _ in range(3)]
    for row in rows:
        run(row)
        row.refresh_from_db()

    with django_assert_num_queries(3):
        assert list(proof.check_executions(rows)) == []


def change_key(**changes: Any) -> None:
    file = django_settings.COUNTERSIGN_TRUSTED_KEYS_FILE
    content = json.loads(file.read_text())
    content["keys"][-1] |= changes
    file.write_text(json.dumps(content))


def revoke_key(at: datetime) -> None:
    change_key(revoked_at=at.isoformat())
