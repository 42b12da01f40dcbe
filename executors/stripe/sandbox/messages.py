"""A whole HTTP request and a whole answer, without their sockets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from executors.stripe.sandbox.calls import Json


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    #: A fault on demand: the endpoint breaks while it runs, and its 500 is stored.
    breaks: bool = False

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> str:
        """What stands behind the question mark."""
        return urlsplit(self.target).query


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer; the server adds the length."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def as_bytes(body: Json) -> bytes:
    """Return the JSON as it is sent and stored, indented like Stripe's."""
    return json.dumps(body, indent=2).encode() + b"\n"
