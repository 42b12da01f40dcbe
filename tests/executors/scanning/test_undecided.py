"""One object whose decision cannot be verified keeps no other from being judged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit import clock
from audit.signing import keys, rotation, tokens
from executors import services
from executors.models import Execution, Finding, Scan
from tests.executors.scanning.conftest import about

pytestmark = pytest.mark.django_db


@pytest.fixture
def foreign(succeeded: Execution, tmp_path: Path, settings: Any) -> Execution:
    """A refund whose execution has a token of a key that nobody here knows."""
    private = tmp_path / "foreign.pem"
    rotation.rotate(
        private_path=private,
        trusted_path=tmp_path / "foreign.json",
        use=keys.DECISION,
        at=clock.now(),
    )
    trusted = keys.load_trusted_keys(settings.COUNTERSIGN_TRUSTED_KEYS_FILE)
    claims = tokens.verify(succeeded.token, trusted, use=keys.DECISION)
    token = tokens.sign(claims, keys.load_signing_key(private))
    Execution.objects.filter(pk=succeeded.pk).update(token=token)
    return succeeded


@pytest.fixture
def made(foreign: Execution, refund: Callable[..., Any], payment: Any) -> str:
    """Another refund, past the gate, made after the one that cannot be judged."""
    return str(refund(payment).id)


def test_the_others_are_judged_and_the_listing_counts(
    foreign: Execution, made: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = Scan.objects.count()
    services.scan()

    assert about(made) == [("OUTSIDE_THE_GATE", None)]
    assert Scan.objects.count() == before + 1
    assert f"{foreign.provider_reference} could not be judged" in caplog.text


def test_it_is_left_undecided_while_the_next_listing_shows_it_again(
    foreign: Execution, later: Callable[..., None]
) -> None:
    services.scan()
    assert about(foreign.provider_reference) == []
    later(minutes=5)
    services.scan()

    assert about(foreign.provider_reference) == []


def test_it_is_a_finding_before_it_is_out_of_sight(
    foreign: Execution, later: Callable[..., None], alarms: Callable[[], list[str]]
) -> None:
    services.scan()
    later(minutes=11)
    services.scan()

    assert about(foreign.provider_reference) == [("OUTSIDE_THE_GATE", foreign)]
    assert "cannot be verified: " in Finding.objects.get().message
    assert alarms()[-1] == "outside_the_gate"


def test_without_a_file_of_keys_what_names_no_decision_is_told_all_the_same(
    foreign: Execution, made: str, settings: Any, tmp_path: Path
) -> None:
    before = Scan.objects.count()
    settings.COUNTERSIGN_TRUSTED_KEYS_FILE = tmp_path / "none"
    services.scan()

    assert about(made) == [("OUTSIDE_THE_GATE", None)]
    assert Scan.objects.count() == before, "what could not be judged is listed again"
