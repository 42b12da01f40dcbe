"""The stage of the sealer: a log key, and rows to seal."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from approvals.models import Agent
from audit import actors, clock, history
from audit.history import Fact
from audit.signing import rotation
from audit.signing.keys import LOG


@pytest.fixture
def log_key(unguarded: None, settings: Any, tmp_path: Path) -> Iterator[None]:
    """A log key, and a file of trusted keys of this test alone, beside the key of decisions.

    The guards are lifted: what is tampered with here is what an owner of the database could do.
    """
    settings.COUNTERSIGN_LOG_KEY_FILE = tmp_path / "log.pem"
    known = settings.COUNTERSIGN_TRUSTED_KEYS_FILE
    settings.COUNTERSIGN_TRUSTED_KEYS_FILE = shutil.copy(known, tmp_path / "trusted.json")
    rotate(settings)
    yield


def rotate(settings: Any) -> None:
    rotation.rotate(
        private_path=settings.COUNTERSIGN_LOG_KEY_FILE,
        trusted_path=settings.COUNTERSIGN_TRUSTED_KEYS_FILE,
        use=LOG,
        at=clock.now(),
    )


@pytest.fixture
def change(agent: Agent) -> Callable[..., None]:
    """Write so many more rows into the record."""

    def _change(times: int = 1) -> None:
        fact = Fact(actor=actors.system("test"), event="agent:update", at=clock.now())
        for _ in range(times):
            history.record_many([agent], fact)

    return _change
