"""Secrets never reach the logs, whoever logs them."""

import logging
import re

_SECRET = re.compile(
    r"\b(?:sk|rk|whsec)_[A-Za-z0-9_-]{8,}|\bcs_[A-Za-z0-9]{8}_[A-Za-z0-9_-]{20,}|Bearer\s+\S+",
    re.IGNORECASE,
)


class RedactingFormatter(logging.Formatter):
    """Cuts provider keys, webhook secrets, agent keys and bearer headers out of what is written.

    The last step before the text leaves, so that tracebacks are covered as well as messages.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with its traceback if it has one, without secrets."""
        return _SECRET.sub("[redacted]", super().format(record))
