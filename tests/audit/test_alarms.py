"""Alarms."""

import logging

import pytest

from audit.alarms import raise_alarm


def test_it_says_code_and_subject_at_the_highest_level(caplog: pytest.LogCaptureFixture) -> None:
    raise_alarm("unknown_key", "The signing key is not trusted.", subject="exe_1")

    [record] = caplog.records
    assert record.levelno == logging.CRITICAL
    assert record.getMessage() == (
        "alarm=unknown_key subject=exe_1 The signing key is not trusted."
    )
