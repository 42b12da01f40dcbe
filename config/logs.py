"""Secrets never reach the logs, whoever logs them."""

import logging
import re

_SECRET = re.compile(
    r"\b(?:sk|rk|whsec)_[A-Za-z0-9_-]{8,}|\bcs_[A-Za-z0-9]{8}_[A-Za-z0-9_-]{20,}|Bearer\s+\S+",
    re.IGNORECASE,
)


class RedactSecrets(logging.Filter):
    """Replaces provider keys, webhook secrets, agent keys and bearer headers in every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; always let it pass."""
        message = record.getMessage()
        if _SECRET.search(message):
            record.msg = _SECRET.sub("[redacted]", message)
            record.args = None
        return True
