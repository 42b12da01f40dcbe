"""What is wrong with a payload, in a sentence and at a place.

The library's own sentences repeat whole payloads in Python's notation. Who reads these is an
agent's developer, or a reviewer who changes a payload: they need the rule and the field.
"""

from collections.abc import Callable, Mapping
from typing import Any

from jsonschema.exceptions import ValidationError

#: How JSON's types are called in a sentence.
_TYPES = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "object": "an object",
    "array": "a list",
    "boolean": "true or false",
    "null": "null",
}
_LONGEST_NAME = 80


def sentence(error: ValidationError) -> str:
    """Return the rule that the payload breaks."""
    if "propertyNames" in error.absolute_schema_path:
        return f"The name {_quoted(str(error.instance))} is not allowed here."
    rule = _RULES.get(str(error.validator))
    return rule(error) if rule else "This does not fit the schema of the action."


def place(error: ValidationError) -> list[str | int]:
    """Return the path to what is wrong, within the payload.

    What is missing, unknown or wrongly named is itself the place, not the object around it.
    """
    path = [_cut(part) if isinstance(part, str) else part for part in error.absolute_path]
    if error.validator == "additionalProperties":
        return [*path, _cut(_unknown_names(error)[0])]
    if error.validator == "required":
        return [*path, _missing_name(error)]
    if "propertyNames" in error.absolute_schema_path:
        return [*path, _cut(str(error.instance))]
    return path


def _unknown_names(error: ValidationError) -> list[str]:
    known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
    given: dict[str, Any] = dict(error.instance)  # type: ignore[arg-type] # an object, by schema
    return sorted(name for name in given if name not in known)


def _missing_name(error: ValidationError) -> str:
    wanted: list[str] = list(_rule_value(error))
    return next(name for name in wanted if name not in error.instance)  # type: ignore[operator]


def _unknown(error: ValidationError) -> str:
    names = _unknown_names(error)
    if len(names) == 1:
        return f"The field {_quoted(names[0])} is not known."
    return f"The fields {', '.join(_quoted(name) for name in names[:5])} are not known."


def _missing(error: ValidationError) -> str:
    return f"The field {_quoted(_missing_name(error))} is missing."


def _one_of(error: ValidationError) -> str:
    """Say which fields exclude each other, where that is all that the schema asks."""
    parts: list[Any] = list(_rule_value(error))
    names = [name for part in parts for name in part.get("required", ())]
    return f"Give exactly one of {' and '.join(_quoted(name) for name in names)}."


def _type(error: ValidationError) -> str:
    return f"This must be {_TYPES[str(_rule_value(error))]}."


def _pattern(error: ValidationError) -> str:
    about = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    form = "This does not have the form that is asked for"
    return f"{form}. {about}" if about else f"{form}."


_RULES: Mapping[str, Callable[[ValidationError], str]] = {
    "additionalProperties": _unknown,
    "required": _missing,
    "oneOf": _one_of,
    "type": _type,
    "pattern": _pattern,
    "enum": lambda error: f"One of these is allowed: {', '.join(map(str, _listed(error)))}.",
    "minimum": lambda error: f"At least {_limit(error)} is allowed.",
    "maximum": lambda error: f"At most {_limit(error)} is allowed.",
    "minLength": lambda error: f"At least this many characters are needed: {_limit(error)}.",
    "maxLength": lambda error: f"At most {_limit(error)} characters are allowed.",
    "maxProperties": lambda error: f"At most {_limit(error)} names are allowed.",
}


def _limit(error: ValidationError) -> str:
    return f"{_rule_value(error):,}"


def _rule_value(error: ValidationError) -> Any:
    """Return what the schema says: a limit, a list of names, a type."""
    return error.validator_value


def _listed(error: ValidationError) -> list[Any]:
    return list(_rule_value(error))


def _quoted(name: str) -> str:
    return repr(_cut(name))


def _cut(name: str) -> str:
    """Bound a name that the agent chose: an answer does not repeat 60 KiB of it."""
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
