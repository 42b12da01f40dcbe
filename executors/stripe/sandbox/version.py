"""The API version whose shapes the local Stripe speaks, and the one that a request asks for."""

import re
from collections.abc import Mapping

from executors.stripe.sandbox.errors import EarlyError

#: The version that the ``stripe`` client of this project pins.
API_VERSION = "2026-10-28.endive"
_SHAPE = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")


def read_version(headers: Mapping[str, str]) -> str:
    """Return the version to echo; the shapes are those of ``API_VERSION`` whatever it is.

    Raises:
        EarlyError: the header is not a version.
    """
    version = headers.get("stripe-version", API_VERSION)
    if _SHAPE.fullmatch(version) is None:
        raise EarlyError(f"Invalid Stripe API version: {version[:40]}")
    return version
