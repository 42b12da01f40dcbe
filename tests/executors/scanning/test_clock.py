"""A clock that was ahead blinds no listing."""

from collections.abc import Callable
from typing import Any

import pytest

from executors import services
from executors.models import Scan
from tests.executors.scanning.conftest import about

pytestmark = pytest.mark.django_db


@pytest.fixture
def was_ahead(later: Callable[..., None]) -> Scan:
    """Somebody listed while the clock was three hours ahead; it is right again."""
    later(hours=3)
    services.scan()
    later(hours=-3)
    return Scan.objects.latest("until")


def test_what_is_made_after_it_was_set_right_is_found(
    was_ahead: Scan, payment: Any, refund: Callable[..., Any], later: Callable[..., None]
) -> None:
    later(minutes=5)
    made = refund(payment)
    services.scan()

    assert about(made.id) == [("OUTSIDE_THE_GATE", None)]


def test_it_is_an_alarm(
    was_ahead: Scan, later: Callable[..., None], alarms: Callable[[], list[str]]
) -> None:
    later(minutes=5)
    services.scan()
    assert alarms() == ["clock_was_ahead"]
    later(hours=4)
    services.scan()

    assert alarms() == ["clock_was_ahead"], "what it said is past"


def test_a_listing_from_the_future_is_not_taken_for_one_of_now(
    was_ahead: Scan, later: Callable[..., None]
) -> None:
    later(minutes=30)

    assert services.is_scan_late()


def test_what_the_future_became_is_listed_from_where_the_last_one_ended(
    was_ahead: Scan, later: Callable[..., None]
) -> None:
    later(minutes=5)
    services.scan()
    last = Scan.objects.order_by("pk").last()
    assert last is not None
    later(hours=4)
    services.scan()

    after = Scan.objects.filter(pk__gt=last.pk).order_by("pk").first()
    assert after is not None
    assert after.since < last.until < after.until
    assert after.since < was_ahead.until
