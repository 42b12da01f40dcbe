"""Reading stored objects: by id, in pages, and with references expanded."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from executors.stripe.sandbox.calls import Call, Json
from executors.stripe.sandbox.errors import ApiError, EarlyError, resource_missing

_BOUNDS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_DEFAULT_LIMIT = 10
#: Stripe documents four levels of expansion.
MAX_EXPANSION = 4


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of object: its table, its noun in refusals, its JSON, and what can be expanded."""

    table: str
    noun: str
    #: The parameter that Stripe names when the id in the path is unknown.
    path_param: str
    serialise: Callable[[sqlite3.Row], Json]
    #: Field name to the name of another kind.
    expandable: Mapping[str, str]


def metadata_of(row: sqlite3.Row) -> dict[str, str]:
    """Return the row's metadata."""
    loaded: dict[str, str] = json.loads(row["metadata"])
    return loaded


def find_row(tx: sqlite3.Connection, kind: Kind, object_id: str) -> sqlite3.Row | None:
    """Return the row with this id, if there is one."""
    # The table's name comes from this package, never from a request.
    query = f"SELECT * FROM {kind.table} WHERE id = ?"  # noqa: S608 # nosec B608
    row: sqlite3.Row | None = tx.execute(query, (object_id,)).fetchone()
    return row


def get_row(
    tx: sqlite3.Connection, kind: Kind, object_id: str, *, param: str = "", status: int = 404
) -> sqlite3.Row:
    """Return the row with this id.

    Raises:
        ApiError: there is none (``resource_missing``).
    """
    row = find_row(tx, kind, object_id)
    if row is None:
        raise resource_missing(kind.noun, object_id, param=param or kind.path_param, status=status)
    return row


def insert(tx: sqlite3.Connection, kind: Kind, values: Mapping[str, object]) -> None:
    """Add a row; its columns are named by this package, never by a request."""
    columns = ", ".join(values)
    marks = ", ".join("?" * len(values))
    query = f"INSERT INTO {kind.table} ({columns}) VALUES ({marks})"  # noqa: S608 # nosec B608
    tx.execute(query, tuple(values.values()))


def retrieve(kind: Kind) -> Callable[[Call], Json]:
    """Return the endpoint that reads one object."""

    def endpoint(call: Call) -> Json:
        return kind.serialise(get_row(call.tx, kind, call.object_id))

    return endpoint


def page(call: Call, kind: Kind, *, filters: Mapping[str, str | None]) -> Json:
    """Return one page of a list, newest first, in Stripe's envelope.

    ``filters`` are column names and the values that they must have; None leaves a column open.

    Raises:
        ApiError: an unknown cursor, or both cursors.
    """
    wanted = {column: value for column, value in filters.items() if value is not None}
    conditions = [f"{column} = ?" for column in wanted]
    values: list[str | int] = list(wanted.values())
    for bound, moment in call.params.get("created", {}).items():
        conditions.append(f"created {_BOUNDS[bound]} ?")
        values.append(moment)
    backwards = _add_cursor(call, kind, conditions, values)
    limit = call.params.get("limit", _DEFAULT_LIMIT)
    query = (
        f"SELECT * FROM {kind.table} WHERE {' AND '.join(conditions) or '1'} "  # noqa: S608 # nosec B608
        f"ORDER BY sequence {'ASC' if backwards else 'DESC'} LIMIT ?"
    )
    rows = call.tx.execute(query, (*values, limit + 1)).fetchall()
    found = rows[:limit][::-1] if backwards else rows[:limit]
    return {
        "object": "list",
        "data": [kind.serialise(row) for row in found],
        "has_more": len(rows) > limit,
        "url": f"/v1/{kind.table}",
    }


def _add_cursor(call: Call, kind: Kind, conditions: list[str], values: list[str | int]) -> bool:
    """Add the cursor's condition; say whether the page runs towards newer objects."""
    cursors = {
        name: get_row(call.tx, kind, call.params[name], param=name, status=400)["sequence"]
        for name in ("starting_after", "ending_before")
        if name in call.params
    }
    if len(cursors) == 2:
        raise ApiError(
            "Received both starting_after and ending_before parameters. Please pass in only one."
        )
    for name, sequence in cursors.items():
        conditions.append(f"sequence {'<' if name == 'starting_after' else '>'} ?")
        values.append(sequence)
    return "ending_before" in cursors


class Expander:
    """Puts whole objects where ids stand, as ``expand[]`` asks."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self._kinds = kinds

    def check(self, paths: list[str], kind: str | None, *, is_list: bool) -> None:
        """Refuse paths that lead nowhere, before anything runs (recorded wording).

        Raises:
            EarlyError: a path that cannot be expanded, or is too deep.
        """
        for path in paths:
            steps = path.split(".")
            if len(steps) > MAX_EXPANSION:
                message = f"You cannot expand more than {MAX_EXPANSION} levels of a property."
                raise EarlyError(message)
            if is_list and steps.pop(0) != "data":
                hint = f" You may want to try expanding 'data.{path}' instead."
                raise EarlyError(f"This property cannot be expanded ({path}).{hint}")
            self._check_steps(path, steps, kind)

    def _check_steps(self, path: str, steps: list[str], kind: str | None) -> None:
        for step in steps:
            target = self._kinds[kind].expandable.get(step) if kind else None
            if target is None:
                raise EarlyError(f"This property cannot be expanded ({path}).")
            kind = target

    def expand(self, tx: sqlite3.Connection, body: Json, paths: list[str]) -> Json:
        """Return the same body with the paths expanded; they were checked before."""
        for path in paths:
            steps = path.split(".")
            if body["object"] == "list":
                for item in body["data"]:
                    self._expand(tx, item, steps[1:])
            else:
                self._expand(tx, body, steps)
        return body

    def _expand(self, tx: sqlite3.Connection, body: Json, steps: list[str]) -> None:
        if not steps or body.get(steps[0]) is None:
            return
        field = steps[0]
        if isinstance(body[field], str):
            kind = self._kinds[self._kinds[body["object"]].expandable[field]]
            body[field] = kind.serialise(get_row(tx, kind, body[field]))
        self._expand(tx, body[field], steps[1:])
