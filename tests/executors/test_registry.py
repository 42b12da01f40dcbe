"""The catalogue."""

import pytest

from executors import registry
from executors.errors import UnknownActionError
from executors.stripe.refunds import StripeRefund
from tests.executors.scripted import ScriptedExecutor


class SecondVersion(ScriptedExecutor):
    version = 2


@pytest.fixture
def emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_by_version", {})
    monkeypatch.setattr(registry, "_latest", {})


def test_the_refund_is_in_it_under_both_names() -> None:
    assert isinstance(registry.latest("stripe.refund"), StripeRefund)
    assert registry.latest("stripe_refund") is registry.get("stripe.refund", 1)


def test_it_is_listed_by_name(emptied: None) -> None:
    registry.register(StripeRefund())
    registry.register(ScriptedExecutor())

    assert [executor.name for executor in registry.catalogue()] == [
        "stripe.refund",
        "test.transfer",
    ]


def test_the_newest_version_is_the_latest(emptied: None) -> None:
    registry.register(SecondVersion())
    registry.register(ScriptedExecutor())

    assert registry.latest("test.transfer").version == 2
    assert registry.get("test.transfer", 1).version == 1


def test_a_version_is_registered_once(emptied: None) -> None:
    registry.register(ScriptedExecutor())

    with pytest.raises(ValueError, match="registered twice"):
        registry.register(ScriptedExecutor())


def test_what_is_not_in_it_is_unknown() -> None:
    with pytest.raises(UnknownActionError):
        registry.latest("stripe.theft")
    with pytest.raises(UnknownActionError):
        registry.get("stripe_refund", 1)
