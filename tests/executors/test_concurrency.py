"""Workers at the same moment: one of them has it, the others do nothing."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from executors import services
from executors.enums import ExecutionStatus
from executors.models import Attempt, Execution, Intent
from tests.executors.conftest import events, run
from tests.executors.scripted import ScriptedExecutor

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 6


def at_once(call: Callable[[int], Any]) -> list[Any]:
    """Call from many threads behind one barrier; return results and exceptions."""
    barrier = threading.Barrier(THREADS)
    results: list[Any] = [None] * THREADS

    def work(number: int) -> None:
        try:
            barrier.wait()
            results[number] = call(number)
        except Exception as error:  # noqa: BLE001 - handed to the test
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_one_of_many_claims_it(execution: Execution) -> None:
    taken = at_once(lambda n: services.claim(execution_id=execution.pk, worker=f"host:{n}"))

    assert sum(isinstance(result, Execution) for result in taken) == 1
    assert sum(result is None for result in taken) == THREADS - 1
    assert events(execution) == ["execution:queue", "execution:claim"]


def test_many_that_run_it_send_once(execution: Execution, executor: ScriptedExecutor) -> None:
    results = at_once(lambda n: run(execution, f"host:{n}"))

    assert not [result for result in results if isinstance(result, Exception)]
    assert len(executor.sent) == 1
    assert (Intent.objects.count(), Attempt.objects.count()) == (1, 1)
    execution.refresh_from_db()
    assert execution.status == ExecutionStatus.SUCCEEDED


def test_a_revocation_and_a_worker_do_not_both_win(
    execution: Execution, executor: ScriptedExecutor, reviewer: Any
) -> None:
    def revoke_or_run(number: int) -> Any:
        if number:
            return run(execution, f"host:{number}")
        return services.revoke(execution_id=execution.pk, user=reviewer, reason="Stop.")

    at_once(revoke_or_run)

    execution.refresh_from_db()
    refused = execution.status == ExecutionStatus.REFUSED
    assert refused or execution.status == ExecutionStatus.SUCCEEDED
    assert len(executor.sent) == (0 if refused else 1)
