"""``python -m tests.crash.immediate_stop``: PostgreSQL stops at once while workers are at work.

A process of its own, because its database is one that stops. At each boundary of an execution, and
within each kind of call whose answer is lost, a worker stands still; the server is stopped like
``pg_ctl stop -m immediate`` and started again; the workers wake up and find their sessions gone;
then their work is recovered, in each of three ways.
Prints as JSON what came of it: per way and boundary, how the worker ended and what does not fit.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import django
from django.db import connections

from tests.support.postgres import Server, own_postgres

#: What was committed must still be there, so it has left the process at each commit. (The kernel
#: lives on, so that nothing has to reach the disk.)
DURABLE = {"synchronous_commit": "on"}

#: What the local Stripe does with a request: nothing, and is silent; what was asked for, and is
#: silent; and what was asked for, with half an answer.
CALLS = {"E4": "hang", "E5": "hang_after", "E6": "truncate"}
#: Seconds of silence. A worker that is not stopped within them writes its result after all, and the
#: test says that its session was not lost.
SILENCE = 5

#: By recovery and by boundary or call.
Outcome = dict[str, dict[str, Any]]


def main() -> None:
    """Start a server and a local Stripe; the one stops now and then, the other lives on."""
    with own_postgres(DURABLE) as server, tempfile.TemporaryDirectory() as directory:
        os.environ |= {
            "COUNTERSIGN_ENV": "test",
            "COUNTERSIGN_VAR_DIR": directory,
            "DATABASE_URL": server.url,
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        django.setup()
        print(json.dumps(_played(server, Path(directory))))
        connections.close_all()


def _played(server: Server, directory: Path) -> Outcome:
    from executors.stripe.sandbox.process import running_sandbox
    from tests.crash.children import end_all
    from tests.crash.recovering import RECOVERIES
    from tests.crash.stage import Stage

    with running_sandbox(directory / "stripe.sqlite3") as sandbox:
        stage = Stage(sandbox=sandbox)
        _set_the_stage(stage)
        try:
            return {name: _stopped(server, stage, RECOVERIES[name]) for name in RECOVERIES}
        finally:
            # Whoever still stands would hold the server, and our own output, open for ever.
            end_all()


def _set_the_stage(stage: Any) -> None:
    from datetime import timedelta

    from django.conf import settings
    from django.core.management import call_command

    from audit import clock
    from executors import bell
    from tests.crash.shared_clock import SharedOffset

    call_command("migrate", interactive=False, verbosity=0)
    with Path(os.devnull).open("w") as nobody:
        call_command("rotate_signing_key", stdout=nobody)
    settings.STRIPE_API_BASE = stage.sandbox.base_url
    settings.STRIPE_API_KEY = settings.STRIPE_READ_KEY = stage.sandbox.worker_key
    settings.COUNTERSIGN_CHECKS = []
    clock.offset = SharedOffset(timedelta(0))
    bell.ring = stage.rung.append
    bell.ring_to_reconcile = stage.rung_to_read.append


def _stopped(server: Server, stage: Any, recover: Any) -> dict[str, Any]:
    """Stop the server under a worker at each point, all at once; then recover all of them."""
    from tests.crash.ledgers import problems
    from tests.crash.stage import fresh
    from tests.crash.test_executing import BOUNDARIES

    stage.payments.clear()
    decided = {point: stage.decide(stage.pay()) for point in (*BOUNDARIES, *CALLS)}
    workers = _standing_still(stage, decided)
    connections.close_all()
    server.stop_at_once()
    server.start()
    for worker in workers.values():
        worker.wake()
    troubles = {point: worker.wait().trouble for point, worker in workers.items()}
    recover(stage, list(decided.values()))
    after = dict(zip(sorted(e.pk for e in decided.values()), fresh(decided.values()), strict=True))
    ledger = stage.ledger()
    return {
        point: {
            "lost its session": "OperationalError" in troubles[point],
            "status": after[execution.pk].status,
            "problems": problems(_of(ledger, execution), [after[execution.pk]]),
        }
        for point, execution in decided.items()
    }


def _standing_still(stage: Any, decided: dict[str, Any]) -> dict[str, Any]:
    """A worker for each point, each of them stopped there."""
    from tests.crash.children import freeze
    from tests.crash.test_executing import BOUNDARIES
    from tests.flows.polling import wait_until

    half_an_answer = {"E6": BOUNDARIES["E7"]}
    for point, fault in CALLS.items():
        match = {"method": "POST", "key": f"cs_{decided[point].jti}"}
        stage.script({"match": match, "fault": fault, "seconds": SILENCE})
    frozen = {
        point: stage.worker(decided[point].pk, at=place, fate=freeze)
        for point, place in (BOUNDARIES | half_an_answer).items()
    }
    for worker in frozen.values():
        worker.wait_frozen()
    waiting = {point: stage.worker(decided[point].pk) for point in CALLS if point not in frozen}
    stage.wait_for_faults()
    wait_until(lambda: _of(stage.ledger(), decided["E5"])["payments"][0]["refunds"], "the refund")
    for worker in waiting.values():
        worker.freeze()
    return frozen | waiting


def _of(ledger: dict[str, Any], execution: Any) -> dict[str, Any]:
    """The part of the ledger that is about the payment of one execution."""
    from audit.signing import tokens

    payment = tokens.unverified_claims(execution.token)["payload"]["payment_intent"]
    return ledger | {"payments": [p for p in ledger["payments"] if p["id"] == payment]}


if __name__ == "__main__":
    main()
