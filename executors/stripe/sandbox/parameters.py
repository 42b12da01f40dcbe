"""What each endpoint accepts, checked before it runs.

A ``Kind`` turns the form's text into a value or raises an ``EarlyError`` that names the parameter.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from executors.stripe.sandbox import errors
from executors.stripe.sandbox.errors import EarlyError
from executors.stripe.sandbox.form import Form

Kind = Callable[["str | Form", str], Any]

#: Stripe's documented limits for metadata.
MAX_METADATA_KEYS = 50
MAX_METADATA_KEY = 40
MAX_METADATA_VALUE = 500
#: The largest whole number that every JSON reader keeps exactly.
_MAX_TIME = 2**53 - 1


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """The parameters of one endpoint; ``unsupported`` ones exist at Stripe but not here."""

    fields: Mapping[str, Kind] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    unsupported: frozenset[str] = frozenset()

    def clean(self, form: Form, *, inside: str = "") -> dict[str, Any]:
        """Return the checked values by name.

        Raises:
            EarlyError: an unknown, unsupported, malformed or missing parameter.
        """
        paths = {name: f"{inside}[{name}]" if inside else name for name in form}
        unknown = [n for n in form if n not in self.fields and n not in self.unsupported]
        if unknown:
            raise errors.parameter_unknown([paths[name] for name in unknown])
        for name in form:
            if name in self.unsupported:
                raise errors.unsupported(paths[name])
        values = {name: self.fields[name](value, paths[name]) for name, value in form.items()}
        for name in self.required:
            if name not in values:
                raise errors.parameter_missing(f"{inside}[{name}]" if inside else name)
        return values


def text(maximum: int = 5000) -> Kind:
    """Accept a text that is not empty."""

    def read(value: str | Form, name: str) -> str:
        if isinstance(value, dict):
            raise EarlyError(f"Invalid string: {value}", param=name)
        if not value:
            raise errors.parameter_empty(name)
        if len(value) > maximum:
            message = f"Invalid string: {value[:20]}...; must be at most {maximum} characters"
            raise EarlyError(message, param=name)
        return value

    return read


def integer(*, minimum: int, maximum: int | None = None) -> Kind:
    """Accept a whole number written in ASCII digits, with its bounds (recorded wording)."""

    def read(value: str | Form, name: str) -> int:
        if value == "":
            raise errors.parameter_empty(name)
        if isinstance(value, dict) or re.fullmatch(r"-?[0-9]{1,30}", value) is None:
            raise _integer_error(f"Invalid integer: {value}", name)
        number = int(value)
        if number < minimum:
            message = f"This value must be greater than or equal to {minimum}."
            raise _integer_error(message, name)
        if maximum is not None and number > maximum:
            message = f"This value must be less than or equal to {maximum}."
            raise _integer_error(message, name)
        return number

    return read


def _integer_error(message: str, name: str) -> EarlyError:
    return EarlyError(message, code="parameter_invalid_integer", param=name)


def choice(*allowed: str) -> Kind:
    """Accept one of the given words (recorded wording of the refusal)."""
    words = f"{', '.join(allowed[:-1])}, or {allowed[-1]}" if len(allowed) > 1 else allowed[0]

    def read(value: str | Form, name: str) -> str:
        if value == "":
            raise errors.parameter_empty(name)
        if not isinstance(value, str) or value not in allowed:
            raise EarlyError(f"Invalid {name}: must be one of {words}", param=name)
        return value

    return read


def boolean(value: str | Form, name: str) -> bool:
    """Accept ``true`` or ``false``."""
    if value == "":
        raise errors.parameter_empty(name)
    if value not in ("true", "false"):
        raise EarlyError(f"Invalid boolean: {value}", param=name)
    return value == "true"


def texts(value: str | Form, name: str) -> list[str]:
    """Accept a list of texts, such as ``expand[]``."""
    if not isinstance(value, dict):
        raise EarlyError("Invalid array", param=name)
    read = text()
    return [read(item, f"{name}[{index}]") for index, item in value.items()]


def nested(parameters: Parameters) -> Kind:
    """Accept a hash with parameters of its own."""

    def read(value: str | Form, name: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise EarlyError("Invalid hash", param=name)
        return parameters.clean(value, inside=name)

    return read


def created(value: str | Form, name: str) -> dict[str, int]:
    """Accept one time, or bounds by ``gt``, ``gte``, ``lt`` and ``lte``, in seconds since 1970."""
    time = integer(minimum=0, maximum=_MAX_TIME)
    if isinstance(value, dict):
        bounds = Parameters(fields=dict.fromkeys(("gt", "gte", "lt", "lte"), time))
        return bounds.clean(value, inside=name)
    moment = time(value, name)
    return {"gte": moment, "lte": moment}


def metadata(value: str | Form, name: str) -> dict[str, str]:
    """Accept metadata: an empty value unsets its key; an empty text unsets all (``{"": ""}``)."""
    if value == "":
        return {"": ""}
    if not isinstance(value, dict):
        raise EarlyError("Invalid hash", param=name)
    for key, item in value.items():
        _check_metadata(key, item, name)
    return {key: str(item) for key, item in value.items()}


def _check_metadata(key: str, item: str | Form, name: str) -> None:
    path = f"{name}[{key}]"
    if not isinstance(item, str):
        raise EarlyError("Metadata values must be strings", param=path)
    if len(key) > MAX_METADATA_KEY:
        raise EarlyError(
            f"Metadata keys can have up to {MAX_METADATA_KEY} characters, but you passed in a key "
            f"that is {len(key)} characters. Invalid key: {key}",
            param=path,
        )
    if len(item) > MAX_METADATA_VALUE:
        raise EarlyError(
            f"Metadata values can have up to {MAX_METADATA_VALUE} characters, but you passed in a "
            f"value that is {len(item)} characters. Invalid value: {item}",
            param=path,
        )


def merged_metadata(present: dict[str, str], change: dict[str, str] | None) -> dict[str, str]:
    """Return the metadata after a change.

    Raises:
        EarlyError: more than 50 keys would remain.
    """
    if change is None:
        return present
    if change == {"": ""}:
        return {}
    merged = {key: value for key, value in {**present, **change}.items() if value != ""}
    if len(merged) > MAX_METADATA_KEYS:
        message = f"Metadata can have up to {MAX_METADATA_KEYS} keys, but you've set {len(merged)}"
        raise EarlyError(message, param="metadata")
    return merged
