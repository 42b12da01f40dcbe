"""Alarms: what a person must look at now."""

import logging

logger = logging.getLogger("countersign.alarm")


def raise_alarm(code: str, message: str, *, subject: str) -> None:
    """Log at CRITICAL what must not happen in an honest installation.

    ``code`` is stable, for whoever watches the logs; ``subject`` names what it is about, such as an
    execution. Nothing secret belongs in the message.
    """
    logger.critical("alarm=%s subject=%s %s", code, subject, message)
