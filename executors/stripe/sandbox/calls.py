"""What an endpoint is given: one transaction, checked parameters and the time."""

import sqlite3
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of one endpoint."""

    tx: sqlite3.Connection
    account: str
    now: int
    params: Json = field(default_factory=dict)
    #: The id in the path, where the endpoint has one.
    object_id: str = ""
    request_id: str | None = None
    idempotency_key: str | None = None
