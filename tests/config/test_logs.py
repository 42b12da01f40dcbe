"""Secrets are cut out of everything that is logged, whoever writes it."""

import logging
import sys

import pytest
from django.conf import settings

from config.logs import RedactingFormatter

SECRETS = [
    "sk_live_0123456789",
    "rk_local_0123456789",
    "whsec_0123456789",
    "cs_AbCdEfGh_0123456789012345678901234567890123456789",
    "Bearer anything-at-all",
]


def logged(message, *arguments, error=None):
    record = logging.LogRecord("name", logging.INFO, "file", 1, message, arguments, error)
    return RedactingFormatter("%(message)s").format(record)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_in_a_message_is_not_logged(secret):
    assert secret not in logged("key %s used", secret)
    assert "[redacted]" in logged(f"key {secret} used")


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_in_a_traceback_is_not_logged(secret):
    try:
        raise ValueError(f"cannot use {secret}")
    except ValueError:
        text = logged("failed", error=sys.exc_info())

    assert "ValueError: cannot use [redacted]" in text
    assert secret not in text


def test_the_rest_is_logged_as_it_is():
    assert logged("request %s approved", "req_1") == "request req_1 approved"


def test_every_handler_writes_through_it():
    formatters = {handler["formatter"] for handler in settings.LOGGING["handlers"].values()}

    assert {settings.LOGGING["formatters"][name]["()"] for name in formatters} == {
        "config.logs.RedactingFormatter"
    }
