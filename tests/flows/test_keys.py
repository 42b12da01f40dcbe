"""Who holds which key: web signs and cannot move money, the worker moves money and cannot sign."""

import json
from datetime import UTC, datetime
from typing import Any

from joserfc.jwk import OKPKey

from audit.signing import tokens
from audit.signing.keys import DECISION, TrustedKey
from tests.flows.conftest import World
from tests.flows.web import Answer, Browser

_SIGN = """
import django; django.setup()
from django.conf import settings
from audit.signing.keys import load_signing_key
load_signing_key(settings.COUNTERSIGN_SIGNING_KEY_FILE); print("could sign", end="")
"""
_RUN = """
import sys, django; django.setup()
from executors import services
print(services.run(execution_id=sys.argv[1], worker="not-a-worker"), end="")
"""


def published_keys(world: World) -> dict[str, TrustedKey]:
    """What anybody can verify with: the keys at the well-known address."""
    jwks = Browser(world.stack.base_url).get("/.well-known/jwks.json").json
    return {
        jwk["kid"]: TrustedKey(
            kid=jwk["kid"],
            use=DECISION,
            key=OKPKey.import_key({name: jwk[name] for name in ("kty", "crv", "x")}),
            not_before=datetime(2020, 1, 1, tzinfo=UTC),
            not_after=None,
            revoked_at=None,
        )
        for jwk in jwks["keys"]
    }


def token_of(world: World, request_id: str) -> Any:
    return world.agent.get(f"requests/{request_id}/decision").json["token"]


def test_the_money_worker_cannot_sign(world: World) -> None:
    money = world.stack.parts["money"]
    try:
        world.stack.python("-c", _SIGN, role="money")
        message = ""
    except Exception as error:  # noqa: BLE001 (whatever it says is looked at)
        message = str(error)

    assert "KeyFileError" in message
    assert "the key that signs decisions" not in money.said(), "it would warn if it could read it"
    assert world.stack.python("-c", _SIGN, role="web") == "could sign"


def test_the_web_process_cannot_move_money(world: World) -> None:
    payment = world.pay()
    request_id = world.submit(payment)
    with world.stack.without("money"):
        world.approve(request_id)
        execution_id = world.execution_id(request_id)
        status = world.stack.python("-c", _RUN, execution_id, role="web")
        refunds = world.refunds(payment)

    release = f"/admin/executors/execution/{execution_id}/release/"
    world.steer(world.reviewer, release, "The worker has the right key.")

    assert (status, refunds) == ("HELD", [])
    assert world.execution(request_id, "SUCCEEDED")
    assert len(world.refunds(payment)) == 1


def test_a_key_is_rotated_while_everything_runs(world: World) -> None:
    payments = [world.pay(), world.pay()]
    old, new = (world.submit(payment) for payment in payments)
    with world.stack.without("money"):
        world.approve(old)
        rotated = json.loads(world.stack.python("manage.py", "rotate_signing_key", "--json"))
        world.approve(new)
    for request_id in (old, new):
        world.execution(request_id, "SUCCEEDED")

    published = published_keys(world)
    signed_by = {
        request_id: [
            kid
            for kid, key in published.items()
            if is_signed_by(token_of(world, request_id), {kid: key})
        ]
        for request_id in (old, new)
    }
    assert signed_by[new] == [rotated["kid"]]
    assert signed_by[old] not in ([], signed_by[new])
    assert [len(world.refunds(payment)) for payment in payments] == [1, 1]


def is_signed_by(token: str, trusted: dict[str, TrustedKey]) -> bool:
    try:
        tokens.verify(token, trusted, use=DECISION)
    except Exception:  # noqa: BLE001 (any refusal means no)
        return False
    return True


def test_it_is_ready_only_with_its_workers(world: World) -> None:
    def readyz() -> Answer:
        return Browser(world.stack.base_url).get("/readyz")

    before = readyz()
    with world.stack.without("money"):
        without = readyz()

    assert before.status == 200, before.text
    assert (without.status, without.json["code"]) == (503, "not_ready")
    assert "money" in without.text
