"""How far the listings have come: written down when one is complete, and only then."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from executors import services
from executors.models import Execution, Finding, Scan
from executors.services import scanning
from executors.stripe import gateway
from executors.stripe.sandbox.process import RunningSandbox
from tests.executors.scanning.conftest import about
from tests.executors.stripe.switches import press

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The process is gone; nothing after this runs."""


class TestProgress:
    """What is written down, and when."""

    def scans(self) -> list[Scan]:
        return list(Scan.objects.order_by("pk"))

    def test_each_begins_a_little_before_the_end_of_the_last(
        self, later: Callable[..., None]
    ) -> None:
        later(minutes=50)
        services.scan()
        later(minutes=30)
        services.scan()

        first, second, third = self.scans()
        assert second.since == first.until
        assert third.since == second.until - scanning.OVERLAP
        assert third.until > second.until

    def test_a_long_outage_is_caught_up_stretch_by_stretch(
        self, later: Callable[..., None]
    ) -> None:
        later(hours=5)
        services.scan()

        scans = self.scans()
        assert len(scans) > 5
        for before, after in itertools.pairwise(scans):
            assert after.since <= before.until < after.until <= after.since + scanning.LONGEST
        assert scans[-1].until >= scans[0].until + timedelta(hours=5)

    def test_what_takes_too_long_goes_on_the_next_time(
        self, later: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(scanning, "PATIENCE", 0.0)
        later(hours=5)
        services.scan()
        services.scan()

        first, second, third = self.scans()
        assert second.until == first.until + scanning.LONGEST
        assert third.since == second.until - scanning.OVERLAP

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
