"""``GET /.well-known/jwks.json``."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from joserfc.jwk import KeySet

from audit import clock
from audit.signing import rotation
from audit.signing.keys import DECISION, LOG, load_trusted_keys
from tests.approvals.api.conftest import problem_of

ADDRESS = "/.well-known/jwks.json"


def rotate(use: str = DECISION) -> None:
    name = "signing.pem" if use == DECISION else "log.pem"
    rotation.rotate(
        private_path=django_settings.COUNTERSIGN_SIGNING_KEY_FILE.with_name(name),
        trusted_path=django_settings.COUNTERSIGN_TRUSTED_KEYS_FILE,
        use=use,
        at=clock.now(),
    )


def published(client: Any) -> list[dict[str, Any]]:
    response = client.get(ADDRESS)
    assert response.status_code == 200, response.content
    keys: list[dict[str, Any]] = response.json()["keys"]
    return keys


@pytest.mark.django_db
def test_it_publishes_the_key_that_signs_and_those_that_did(client: Any, own_keys: None) -> None:
    before = published(client)
    rotate()

    after = published(client)

    assert len(before) == 1
    assert len(after) == 2
    assert before[0] in after
    assert {key["kid"] for key in after} == {
        *load_trusted_keys(django_settings.COUNTERSIGN_TRUSTED_KEYS_FILE)
    }


@pytest.mark.django_db
def test_it_publishes_no_key_that_signs_something_else(client: Any, own_keys: None) -> None:
    before = published(client)

    rotate(LOG)

    assert published(client) == before


@pytest.mark.django_db
def test_it_publishes_no_key_that_was_stolen(client: Any, own_keys: None) -> None:
    path: Path = django_settings.COUNTERSIGN_TRUSTED_KEYS_FILE
    document = json.loads(path.read_text())
    document["keys"][0]["revoked_at"] = "2026-01-01T00:00:00+00:00"
    path.write_text(json.dumps(document))

    assert published(client) == []


def test_other_libraries_read_it(client: Any) -> None:
    response = client.get(ADDRESS)

    keys = KeySet.import_key_set(response.json())
    assert [key.thumbprint() for key in keys] == [key["kid"] for key in response.json()["keys"]]
    assert response.headers["Cache-Control"] == "public, max-age=60"


def test_it_never_publishes_a_private_part(client: Any) -> None:
    for key in published(client):
        assert set(key) == {"kty", "crv", "x", "kid", "use"}


def test_without_the_file_it_is_unavailable(client: Any, settings: Any, tmp_path: Path) -> None:
    settings.COUNTERSIGN_TRUSTED_KEYS_FILE = tmp_path / "nothing.json"

    problem = problem_of(client.get(ADDRESS), 503, "unavailable")

    assert str(tmp_path) not in problem["detail"]
