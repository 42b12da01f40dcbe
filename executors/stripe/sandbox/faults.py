"""Faults on demand: what goes wrong with which request, by a script or at random.

A fault happens at one of three places: before the endpoint runs (nothing is committed), in its
stead (a stored 500), or on the way back (committed, but the client does not hear it).
"""

import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from executors.stripe.sandbox.errors import ApiError, EarlyError, idempotency_error
from executors.stripe.sandbox.messages import Request


class FaultKind(StrEnum):
    """What goes wrong."""

    #: The connection is reset as soon as the request is there; nothing runs.
    REFUSE = "refuse"
    #: The connection is closed without an answer; nothing runs.
    DROP_BEFORE = "drop_before"
    #: It runs and is committed; the connection is closed without an answer.
    DROP_AFTER = "drop_after"
    #: Nothing runs, and nothing is answered until the client leaves.
    HANG = "hang"
    #: It runs and is committed; nothing is answered until the client leaves.
    HANG_AFTER = "hang_after"
    #: It runs and is committed; half of the answer arrives.
    TRUNCATE = "truncate"
    #: It runs and is committed; the answer is a 200 that is no JSON.
    NOT_JSON = "not_json"
    #: 409: another request with this key is under way.
    IN_USE = "in_use"
    #: 429 in front of everything, with a Retry-After.
    RATE_LIMIT = "rate_limit"
    #: 500 after the key was taken: the answer is stored and replayed.
    STORED_500 = "stored_500"
    #: 503 in front of everything: nothing is stored.
    UNAVAILABLE = "unavailable"
    #: 401 in front of everything.
    UNAUTHORIZED = "unauthorized"
    #: 403 in front of everything.
    FORBIDDEN = "forbidden"
    #: It runs, after a while.
    SLOW = "slow"


#: After these the money may have moved although the client did not hear it.
RUNS = frozenset(
    {FaultKind.DROP_AFTER, FaultKind.HANG_AFTER, FaultKind.TRUNCATE, FaultKind.NOT_JSON}
)
#: Kinds that random faults choose from, unless told otherwise: those that pass by themselves.
PASSING = tuple(kind for kind in FaultKind if kind not in ("unauthorized", "forbidden"))


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault; ``seconds`` is how long a hang lasts at most, or how slow a slow answer is."""

    kind: FaultKind
    seconds: float = 60.0
    retry_after: int = 1


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a script: which requests, which fault, and how many times (None: always).

    ``path`` and ``key`` (the idempotency key) may hold ``*``.
    """

    fault: Fault
    method: str = "*"
    path: str = "/v1/*"
    key: str = "*"
    times: int | None = 1

    def fits(self, request: Request) -> bool:
        """Tell whether the line is about this request, and not used up."""
        key = request.headers.get("idempotency-key", "")
        return (
            self.times != 0
            and self.method in ("*", request.method)
            and fnmatchcase(request.path, self.path)
            and fnmatchcase(key, self.key)
        )


class Faults:
    """The script of a running local Stripe; empty at its start."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Let everything go well from now on."""
        with self._lock:
            self._lines: list[Line] = []
            self._rate = 0.0
            self._kinds: Sequence[FaultKind] = PASSING
            self._random = random.Random(0)  # noqa: S311 - it must repeat, not surprise

    def add(self, lines: Sequence[Line]) -> None:
        """Append to the script; the first line that fits a request is the one that counts."""
        with self._lock:
            self._lines += lines

    def left(self) -> int:
        """Return with how many requests the script will still interfere, but for endless lines."""
        with self._lock:
            return sum(line.times or 0 for line in self._lines)

    def at_random(self, *, seed: int, rate: float, kinds: Sequence[FaultKind] = PASSING) -> None:
        """Let this share of the requests that no line fits go wrong (0 to 1).

        The same seed gives the same faults to the same order of requests.
        """
        with self._lock:
            self._rate, self._kinds = rate, kinds or PASSING
            self._random = random.Random(seed)  # noqa: S311

    def take(self, request: Request) -> Fault | None:
        """Return what goes wrong with this request, and use it up."""
        if not request.path.startswith("/v1/"):
            return None
        with self._lock:
            for number, line in enumerate(self._lines):
                if line.fits(request):
                    if line.times is not None:
                        self._lines[number] = replace(line, times=line.times - 1)
                    return line.fault
            if self._rate and self._random.random() < self._rate:
                return Fault(kind=self._random.choice(self._kinds))
        return None


def read_lines(script: Any) -> list[Line]:
    """Read a script from JSON: ``[{"match": {"method", "path", "key"}, "fault", "times"}, …]``.

    Raises:
        EarlyError: it is not one.
    """
    if not isinstance(script, list) or not all(isinstance(line, dict) for line in script):
        raise EarlyError("A script is a list of objects.")
    return [_read_line(line) for line in script]


def _read_line(line: Mapping[str, Any]) -> Line:
    known = {"match", "fault", "times", "seconds", "retry_after"}
    if set(line) - known:
        raise EarlyError(f"A line of a script has only {', '.join(sorted(known))}.")
    more = {name: line[name] for name in ("seconds", "retry_after") if name in line}
    try:
        fault = Fault(kind=FaultKind(line.get("fault", "")), **more)
        return Line(fault=fault, times=line.get("times", 1), **line.get("match", {}))
    except (TypeError, ValueError) as error:
        raise EarlyError(f"A line of the script cannot be read: {error}") from error


def refusal_of(fault: Fault, request: Request) -> ApiError | None:
    """Return what is answered in the endpoint's stead, in Stripe's form, or None."""
    key = request.headers.get("idempotency-key", "")
    match fault.kind:
        case FaultKind.IN_USE:
            text = (
                f"There is currently another in-progress request using this Idempotent Key: {key}"
            )
            return idempotency_error(text, status=409, code="idempotency_key_in_use")
        case FaultKind.RATE_LIMIT:
            return ApiError("Request rate limit exceeded.", status=429, code="rate_limit")
        case FaultKind.UNAVAILABLE:
            return ApiError("The service is unavailable.", status=503, kind="api_error")
        case FaultKind.UNAUTHORIZED:
            return ApiError("Invalid API Key provided.", status=401)
        case FaultKind.FORBIDDEN:
            return ApiError("The provided key lacks the required permissions.", status=403)
        case _:
            return None
