"""A person asks that the provider be read now, and not only when it is due."""

from typing import Any

from executors import bell
from executors.enums import ExecutionStatus as S
from executors.errors import InvalidTransitionError, NotRungError
from executors.models import Execution
from executors.permissions import check_may_steer

_READABLE = (S.UNKNOWN, S.SUCCEEDED)


def read_again(*, execution_id: str, user: Any) -> None:
    """Ring the money worker to read the provider about an UNKNOWN or a success.

    Nothing is changed here, so no reason is asked for: the worker, which alone has the key, writes
    down what it reads.

    Raises:
        NotPermittedError: this person may not steer executions.
        InvalidTransitionError: there is nothing to learn from the provider.
        NotRungError: the broker did not take the message.
    """
    check_may_steer(user)
    execution = Execution.objects.get(pk=execution_id)
    if execution.status not in _READABLE:
        raise InvalidTransitionError(
            f"{execution.pk} is {execution.status}: it is read again only while it is "
            f"{' or '.join(_READABLE)}."
        )
    if not bell.ring_to_reconcile(execution.pk):
        raise NotRungError("The worker could not be rung. It reads by itself when it is due.")
