"""Secrets are cut out of every log record, whoever writes it."""

import logging

import pytest

from config.logs import RedactSecrets


def logged(message, *arguments):
    record = logging.LogRecord("name", logging.INFO, "file", 1, message, arguments, None)
    assert RedactSecrets().filter(record)
    return record.getMessage()


@pytest.mark.parametrize(
    "secret",
    [
        "sk_live_0123456789",
        "rk_local_0123456789",
        "whsec_0123456789",
        "cs_AbCdEfGh_0123456789012345678901234567890123456789",
        "Bearer anything-at-all",
    ],
)
def test_a_secret_is_not_logged(secret):
    assert secret not in logged("key %s used", secret)
    assert "[redacted]" in logged(f"key {secret} used")


def test_the_rest_is_logged_as_it_is():
    assert logged("request %s approved", "req_1") == "request req_1 approved"
