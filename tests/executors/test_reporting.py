"""A finding is told before it is kept for good: who dies in between has not silenced it."""

from collections.abc import Callable

import pytest

from executors import findings
from executors.models import Finding
from tests.executors.conftest import report

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The process is gone; nothing after this runs, and what was not committed is undone."""


def die(*_: object, **__: object) -> None:
    raise Killed


def test_one_that_dies_instead_of_telling_it_has_kept_nothing(
    alarms: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(findings, "raise_alarm", die)
        with pytest.raises(Killed):
            report()
    assert not Finding.objects.exists()

    report()

    assert (alarms(), Finding.objects.count()) == (["outside_the_gate"], 1)
