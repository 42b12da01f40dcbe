"""May this execution go on, at this instant? Asked at claim, and again before anything leaves."""

from datetime import datetime

from executors import checks, holds, verification
from executors.errors import HeldError, RefusedError
from executors.models import Execution
from executors.verification import Verified


def clear(execution: Execution, *, at: datetime) -> Verified:
    """Verify the token, then ask the holds and the registered checks.

    Raises:
        RefusedError: it must never be carried out.
        HeldError: it must not be carried out now.
    """
    verified = verification.verify(execution, at=at)
    holds.check_none_in_force(verified.claims, execution)
    stop = checks.objection(verified.claims, at)
    if stop is not None:
        error = RefusedError if stop.final else HeldError
        raise error(stop.message, code=stop.code)
    return verified
