"""How long an action may wait: what the installation allows, narrowed by what the action needs."""

from typing import Any

import pytest

from executors.bounds import bounds_of
from tests.executors.scripted import ScriptedExecutor


@pytest.fixture(autouse=True)
def installation(settings: Any) -> None:
    settings.COUNTERSIGN_EXPIRES_IN_LEAST = 60
    settings.COUNTERSIGN_EXPIRES_IN_MOST = 1000
    settings.COUNTERSIGN_EXPIRES_IN_DEFAULT = 500
    settings.COUNTERSIGN_EXECUTE_WITHIN = 400


@pytest.mark.parametrize(
    ("own", "least", "most", "default", "within"),
    [
        ({}, 60, 1000, 500, 400),
        ({"expires_in_least": 100, "expires_in_most": 200}, 100, 200, 200, 400),
        ({"expires_in_least": 600}, 600, 1000, 600, 400),
        ({"expires_in_default": 90, "execute_within": 30}, 60, 1000, 90, 30),
        # Nothing is widened, and no limits are left that nothing could be within.
        ({"expires_in_least": 1, "expires_in_most": 9999}, 60, 1000, 500, 400),
        ({"expires_in_default": 9999, "execute_within": 9999}, 60, 1000, 1000, 400),
        ({"expires_in_least": 2000}, 1000, 1000, 1000, 400),
    ],
)
def test_an_action_narrows_what_the_installation_allows_and_never_widens_it(
    own: dict[str, int], least: int, most: int, default: int, within: int
) -> None:
    executor = ScriptedExecutor()
    for name, seconds in own.items():
        setattr(executor, name, seconds)

    assert bounds_of(executor).as_json() == {
        "expires_in_least": least,
        "expires_in_most": most,
        "expires_in_default": default,
        "execute_within": within,
    }
