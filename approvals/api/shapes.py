"""Shapes of input fields: each checks a value strictly and says the same as JSON Schema.

Serializer fields of web frameworks are unfit here: they read ``"1_000"``, full-width digits and
``true`` as numbers, and drop what they do not know. A shape takes JSON types as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

from approvals.api import text
from approvals.api.parsing import LARGEST_INTEGER
from approvals.errors import InvalidInputError


class Shape(Protocol):
    """What a field of a body may be."""

    def check(self, value: Any, pointer: str) -> None:
        """Refuse the value. Raises ``InvalidInputError`` with this pointer, or one below it."""

    def schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema 2020-12."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """A string of ``least`` to ``most`` characters; with a ``form``, a pattern and its words."""

    least: int = 0
    most: int
    pattern: str = ""
    form: str = ""

    def check(self, value: Any, pointer: str) -> None:
        """Refuse anything but such a string."""
        if not isinstance(value, str):
            _refuse_type(pointer, "a string")
        if len(value) > self.most:
            refuse(pointer, "too_long", f"At most {self.most} characters are allowed.")
        if len(value) < self.least:
            refuse(pointer, "invalid_value", "This must not be empty.")
        if self.pattern and not text.matches(self.pattern, value):
            refuse(pointer, "invalid_value", f"Only {self.form} are allowed.")

    def schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""
        schema: dict[str, Any] = {"type": "string", "maxLength": self.most}
        if self.least:
            schema["minLength"] = self.least
        if self.pattern:
            schema["pattern"] = self.pattern
        return schema


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of a few strings."""

    values: Sequence[str]

    def check(self, value: Any, pointer: str) -> None:
        """Refuse anything but one of them."""
        if not isinstance(value, str):
            _refuse_type(pointer, "a string")
        if value not in self.values:
            refuse(pointer, "invalid_value", f"One of these is allowed: {', '.join(self.values)}.")

    def schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""
        return {"type": "string", "enum": list(self.values)}


@dataclass(frozen=True, kw_only=True)
class Integer:
    """A JSON integer within bounds; ``true`` is none, and neither is ``"1"``."""

    least: int
    most: int = LARGEST_INTEGER

    def check(self, value: Any, pointer: str) -> None:
        """Refuse anything but such an integer."""
        if not isinstance(value, int) or isinstance(value, bool):
            _refuse_type(pointer, "an integer")
        if not self.least <= value <= self.most:
            refuse(pointer, "invalid_value", f"From {self.least} to {self.most} is allowed.")

    def schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, kw_only=True)
class FreeObject:
    """A JSON object of any content (the parser has already bounded size, depth and numbers)."""

    def check(self, value: Any, pointer: str) -> None:
        """Refuse anything but an object."""
        if not isinstance(value, dict):
            _refuse_type(pointer, "an object")

    def schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""
        return {"type": "object", "additionalProperties": True}


@dataclass(frozen=True, kw_only=True)
class StringMap:
    """An object of at most ``most_keys`` short names and strings."""

    most_keys: int
    value: Text

    def check(self, value: Any, pointer: str) -> None:
        """Refuse anything but such an object."""
        if not isinstance(value, dict):
            _refuse_type(pointer, "an object")
        if len(value) > self.most_keys:
            refuse(pointer, "too_long", f"At most {self.most_keys} keys are allowed.")
        for key, item in value.items():
            place = pointer + text.pointer_part(key)
            if not text.matches(text.METADATA_KEY, key):
                refuse(
                    place,
                    "invalid_value",
                    "Keys are 1 to 40 letters, digits, hyphens and underscores.",
                )
            self.value.check(item, place)

    def schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""
        return {
            "type": "object",
            "maxProperties": self.most_keys,
            "propertyNames": {"pattern": text.METADATA_KEY},
            "additionalProperties": self.value.schema(),
        }


@dataclass(frozen=True, kw_only=True)
class Field:
    """A named member of a body: its shape, whether it must be there, and what it is for."""

    shape: Shape
    required: bool = False
    about: str = ""
    example: Any = None


@dataclass(frozen=True, kw_only=True)
class Body:
    """A closed object: what is not named here is refused."""

    fields: Mapping[str, Field]
    #: Known fields that are not offered yet, with the sentence that says so.
    not_supported: Mapping[str, str] = field(default_factory=dict)

    def check(self, body: Mapping[str, Any]) -> None:
        """Refuse unknown, missing and malformed fields.

        Raises:
            InvalidInputError: for the first one, in the order of the body.
        """
        for name, value in body.items():
            pointer = text.pointer_part(name)
            if name in self.not_supported:
                refuse(pointer, "not_supported", self.not_supported[name])
            if name not in self.fields:
                refuse(pointer, "unknown_field", f"The field {text.quote(name)!r} is not known.")
            self.fields[name].shape.check(value, pointer)
        for name, known in self.fields.items():
            if known.required and name not in body:
                refuse(text.pointer_part(name), "missing_field", f"The field {name!r} is missing.")

    def schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""
        properties = {
            name: known.shape.schema()
            | {"description": known.about}
            | ({} if known.example is None else {"examples": [known.example]})
            for name, known in self.fields.items()
        }
        return {
            "type": "object",
            "properties": properties,
            "required": [name for name, known in self.fields.items() if known.required],
            "additionalProperties": False,
        }


def refuse(pointer: str, code: str, message: str) -> NoReturn:
    """Raise the refusal of one place in a body."""
    raise InvalidInputError(message, code=code, field=pointer)


def _refuse_type(pointer: str, expected: str) -> NoReturn:
    refuse(pointer, "invalid_type", f"This must be {expected}.")
