"""The page that describes the agent's API, under the same content security policy as the rest."""

from collections.abc import Callable

import pytest

from tests.browser.conftest import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_developer_reads_how_to_submit(open_window: Callable[..., Desk]) -> None:
    window = open_window()
    window.open("/api/docs")

    window.press(window.page.get_by_text("Propose an action"))
    window.page.get_by_text("Idempotency-Key").first.wait_for()
    window.page.get_by_text("stripe.refund").first.wait_for()

    window.look("api-docs")
    assert window.complaints == []
