"""Checks a payload against its action: first the closed schema, then what no schema can say."""

import functools
from collections.abc import Iterable, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from executors import complaints, registry
from executors.base import Executor
from executors.errors import PayloadError


def validate(executor: Executor, payload: Any) -> None:
    """Refuse a payload that breaks its action's schema or its other rules.

    Raises:
        PayloadError: ``field`` is the JSON Pointer (RFC 6901) of what is wrong, within the payload.
    """
    error = best_match(_validator(executor.name, executor.version).iter_errors(payload))
    if error is not None:
        raise PayloadError(complaints.sentence(error), field=pointer(complaints.place(error)))
    executor.check(payload)


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the top-level fields in which two payloads differ, sorted."""
    absent = object()
    names = {*before, *after}
    return sorted(name for name in names if before.get(name, absent) != after.get(name, absent))


@functools.cache
def _validator(name: str, version: int) -> Draft202012Validator:
    schema = registry.get(name, version).schema
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def pointer(parts: Iterable[str | int]) -> str:
    """Return a JSON Pointer (RFC 6901) for a path."""
    escaped = (str(part).replace("~", "~0").replace("/", "~1") for part in parts)
    return "".join(f"/{part}" for part in escaped)
