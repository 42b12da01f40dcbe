"""Everything at the provider is compared with the record: by a listing of the local Stripe."""

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from audit import clock
from executors import services, tasks
from executors.enums import ExecutionStatus as S
from executors.models import Execution, Finding, Scan
from executors.services import scanning
from executors.stripe import gateway
from executors.stripe.sandbox.process import RunningSandbox, running_sandbox
from tests.executors.conftest import WORKER
from tests.executors.scripted import ScriptedExecutor
from tests.executors.stripe.switches import press

pytestmark = pytest.mark.django_db


_days = itertools.count(1)


@pytest.fixture(scope="module")
def local_stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A local Stripe of these tests alone, for they list everything and move its clock."""
    with running_sandbox(tmp_path_factory.mktemp("scanned") / "stripe.sqlite3") as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def watched(provider: RunningSandbox, later: Callable[..., None]) -> None:
    """A day of its own, from whose first moment on the account is watched."""
    press(provider, "clock", {"advance": 24 * 3600})
    later(days=next(_days))
    assert services.scan() == []


@pytest.fixture
def execution(pending_request: Any, approve: Callable[..., Any]) -> Execution:
    approve(pending_request)
    return Execution.objects.get()


@pytest.fixture
def succeeded(execution: Execution) -> Execution:
    services.run(execution_id=execution.pk, worker=WORKER)
    execution.refresh_from_db()
    assert execution.status == S.SUCCEEDED
    return execution


@pytest.fixture
def refund(stripe_client: Any) -> Callable[..., Any]:
    """Refund past the gate, as somebody with a key could."""

    def make(payment: Any, amount: int = 100, **metadata: str) -> Any:
        return stripe_client.v1.refunds.create(
            {"payment_intent": payment.id, "amount": amount, "metadata": metadata}
        )

    return make


def marks(stripe_client: Any, execution: Execution) -> dict[str, str]:
    """The metadata of the refund that an execution has made."""
    refund = stripe_client.v1.refunds.retrieve(execution.provider_reference)
    found: dict[str, str] = refund.metadata.to_dict()
    return found


def about(reference: str) -> list[tuple[str, Any]]:
    """What was found about one refund: kind and execution."""
    rows = Finding.objects.filter(provider_reference=reference)
    return [(row.kind, row.execution) for row in rows]


class TestFound:
    """What the record does not explain."""

    def test_our_own_refund_is_explained(self, succeeded: Execution) -> None:
        services.scan()

        assert about(succeeded.provider_reference) == []

    def test_one_without_a_decision(
        self, payment: Any, refund: Callable[..., Any], alarms: Callable[[], list[str]]
    ) -> None:
        made = refund(payment)
        services.scan()
        services.scan()

        assert about(made.id) == [("OUTSIDE_THE_GATE", None)]
        assert alarms() == ["outside_the_gate"], "told once"
        message = Finding.objects.get().message
        assert message.startswith(f"{made.id} (1.00 USD, succeeded, made ")

    def test_one_that_names_a_decision_that_never_was(
        self, payment: Any, refund: Callable[..., Any]
    ) -> None:
        made = refund(payment, countersign_decision="dec_invented")
        services.scan()

        assert about(made.id) == [("OUTSIDE_THE_GATE", None)]

    def test_one_that_names_a_decision_and_differs(
        self, execution: Execution, payment: Any, refund: Callable[..., Any]
    ) -> None:
        made = refund(payment, 9500, countersign_decision=execution.jti)
        services.scan()

        assert about(made.id) == [("OUTSIDE_THE_GATE", execution)]

    def test_a_second_one_of_the_same_decision(
        self, succeeded: Execution, payment: Any, refund: Callable[..., Any], stripe_client: Any
    ) -> None:
        """R6, after the execution is known by the first."""
        made = refund(payment, 9500 - 8000, **marks(stripe_client, succeeded))
        services.scan()

        assert about(made.id) == [("DUPLICATE", succeeded)]
        assert about(succeeded.provider_reference) == []

    def test_a_second_one_while_nothing_is_known(
        self,
        make_payment: Callable[..., Any],
        submit: Callable[..., Any],
        refund_payload: dict[str, Any],
        approve: Callable[..., Any],
        refund: Callable[..., Any],
        stripe_client: Any,
        rung_to_read: list[str],
    ) -> None:
        """R6, while the outcome is unknown: one of the two is a duplicate."""
        payment = make_payment(20_000)
        payload = {"payment_intent": payment.id, "amount": 9500, "currency": "usd"}
        approve(submit(payload))
        execution = Execution.objects.get()
        services.run(execution_id=execution.pk, worker=WORKER)
        execution.refresh_from_db()
        first = execution.provider_reference
        second = refund(payment, 9500, **marks(stripe_client, execution)).id
        lose_track(execution)
        services.scan()

        assert sorted(about(first) + about(second), key=str) == [("DUPLICATE", execution)]
        assert rung_to_read == [execution.pk]

    @pytest.mark.parametrize("status", ["FAILED", "REFUSED", "QUEUED", "HELD"])
    def test_one_that_did_not_happen_according_to_our_record(
        self, succeeded: Execution, status: str
    ) -> None:
        reference = succeeded.provider_reference
        finished_at = succeeded.finished_at if status in ("FAILED", "REFUSED") else None
        Execution.objects.filter(pk=succeeded.pk).update(
            status=status, finished_at=finished_at, provider_reference="", receipt=None
        )
        services.scan()

        assert about(reference) == [("CONTRADICTION", succeeded)]

    def test_one_that_is_unknown_is_read(
        self, succeeded: Execution, rung_to_read: list[str]
    ) -> None:
        lose_track(succeeded)
        services.scan()

        assert not Finding.objects.exists()
        assert rung_to_read == [succeeded.pk]

    def test_one_whose_worker_still_has_it(self, succeeded: Execution) -> None:
        Execution.objects.filter(pk=succeeded.pk).update(
            status="RUNNING", finished_at=None, lease_expires_at=clock.now(), provider_reference=""
        )
        services.scan()

        assert not Finding.objects.exists()

    def test_one_that_a_person_found_at_the_provider(
        self, execution: Execution, payment: Any, refund: Callable[..., Any], reviewer: Any
    ) -> None:
        lose_track(execution)
        made = refund(payment, 9500)
        services.resolve(
            execution_id=execution.pk,
            user=reviewer,
            reason="Made by hand.",
            outcome=S.SUCCEEDED,
            provider_reference=made.id,
        )
        services.scan()

        assert about(made.id) == []

    def test_a_row_without_a_good_token_explains_nothing(self, succeeded: Execution) -> None:
        Execution.objects.filter(pk=succeeded.pk).update(token="a.b.c")
        services.scan()

        assert about(succeeded.provider_reference) == [("OUTSIDE_THE_GATE", succeeded)]

    def test_one_that_failed_moved_no_money(
        self, payment: Any, refund: Callable[..., Any], provider: RunningSandbox
    ) -> None:
        made = refund(payment)
        press(provider, f"refunds/{made.id}/settle", {"status": "failed"})
        services.scan()

        assert not Finding.objects.exists()

    def test_an_unknown_currency_is_named_as_it_is(
        self, payment: Any, refund: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(scanning, "DECIMALS", {})
        refund(payment)
        services.scan()

        assert "(100 USD, succeeded" in Finding.objects.get().message


class Killed(BaseException):
    """The process is gone; nothing after this runs."""


class TestProgress:
    """What is written down, and when."""

    def scans(self) -> list[Scan]:
        return list(Scan.objects.order_by("pk"))

    def test_each_begins_a_little_before_the_end_of_the_last(
        self, later: Callable[..., None]
    ) -> None:
        later(hours=1)
        services.scan()
        later(minutes=30)
        services.scan()

        first, second, third = self.scans()
        assert second.since == first.until
        assert third.since == second.until - scanning.OVERLAP
        assert third.until > second.until

    def test_a_long_outage_is_caught_up_piece_by_piece(self, later: Callable[..., None]) -> None:
        later(hours=10)
        services.scan()
        services.scan()

        _, second, third = self.scans()
        assert second.until == second.since + scanning.LONGEST
        assert third.until > second.until + timedelta(hours=3)

    def test_what_was_made_at_the_edge_is_not_missed(
        self, payment: Any, refund: Callable[..., Any], later: Callable[..., None]
    ) -> None:
        later(minutes=5)
        services.scan()
        made = refund(payment)
        Finding.objects.all().delete()
        services.scan()

        assert about(made.id) == [("OUTSIDE_THE_GATE", None)]

    @pytest.mark.parametrize("end", [Killed(), None], ids=["killed", "page lost"])
    def test_one_that_breaks_off_between_pages_begins_again(
        self,
        end: BaseException | None,
        payment: Any,
        refund: Callable[..., Any],
        provider: RunningSandbox,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """R5."""
        made = [refund(payment).id for _ in range(5)]
        before = len(self.scans())
        monkeypatch.setattr(gateway, "_PAGE", 2)
        read, pages = gateway.Gateway.get, []

        def broken(self: Any, path: str, **params: Any) -> Any:
            pages.append(path)
            if pages.count("/v1/refunds") == 2:
                if end is not None:
                    raise end
                press(provider, "faults", [{"match": {"path": path}, "fault": "drop_after"}])
            return read(self, path, **params)

        with monkeypatch.context() as patch:
            patch.setattr(gateway.Gateway, "get", broken)
            if end is None:
                assert services.scan() == []
            else:
                with pytest.raises(Killed):
                    services.scan()
        assert len(self.scans()) == before, "a part is no progress"

        services.scan()

        assert {reference for reference in made if about(reference)} == set(made)
        assert len(self.scans()) == before + 1

    def test_another_account_is_watched_from_its_own_beginning(
        self, payment: Any, refund: Callable[..., Any]
    ) -> None:
        refund(payment)
        Scan.objects.update(account="acct_another")
        services.scan()

        assert not Finding.objects.exists()
        assert Scan.objects.order_by("pk").last().listed == 0  # type: ignore[union-attr]

    def test_a_key_that_may_not_list_is_told(
        self, provider: RunningSandbox, alarms: Callable[[], list[str]]
    ) -> None:
        before = len(self.scans())
        match = {"path": "/v1/refunds"}
        press(provider, "faults", [{"match": match, "fault": "forbidden"}])
        services.scan()

        assert alarms() == ["invalid_request_error"]
        assert len(self.scans()) == before

    def test_a_file_of_keys_that_cannot_be_read_proves_nothing(
        self, succeeded: Execution, settings: Any, tmp_path: Any
    ) -> None:
        before = len(self.scans())
        settings.COUNTERSIGN_TRUSTED_KEYS_FILE = tmp_path / "none"
        services.scan()

        assert (Finding.objects.count(), len(self.scans())) == (0, before)


def test_an_action_that_cannot_be_listed_is_left_out(executor: ScriptedExecutor) -> None:
    services.scan()

    assert set(Scan.objects.values_list("action", flat=True)) == {"stripe.refund"}


def test_the_task_may_run_twice(payment: Any, refund: Callable[..., Any]) -> None:
    refund(payment)
    tasks.scan()
    tasks.scan(later="argument")

    assert Finding.objects.count() == 1


def lose_track(execution: Execution) -> None:
    """Put the row where a lost answer leaves it."""
    Execution.objects.filter(pk=execution.pk).update(
        status="UNKNOWN", ambiguous=True, finished_at=None, provider_reference="", receipt=None
    )
