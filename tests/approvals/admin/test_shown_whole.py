"""The decide page shows every leaf of a payload, whatever is in it, and runs none of it."""

import json

import pytest
from django.template.loader import render_to_string
from hypothesis import given, settings

from approvals.models import PayloadVersion
from tests.approvals.admin.conftest import address, text_of
from tests.audit.test_visible import PAYLOADS, restored

HOSTILE = [
    "\u202e00.59\u202c",
    "p\u0430ypal.com",
    "</pre><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "{{ request.user.password }}",
    "\u3164\u2800\u200b",
    "x" * 500,
    "\U000e0041\U000e0042",
    "🏳\ufe0f\u200d🌈",
    "javascript:alert(1)",
]


def shown(page: str) -> str:
    return restored(page.split("data-payload>")[1].split("</pre>", maxsplit=1)[0])


@given(PAYLOADS)
@settings(max_examples=60)
def test_the_payload_block_can_be_read_back(value):
    class View:
        payload_version = 1

    page = render_to_string("approvals/payload.html", {"payload": value, "view": View()})

    assert json.loads(shown(page), strict=False) == value


@pytest.mark.django_db
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_not_run(browser, submit, refund_payload, text):
    request = submit(
        refund_payload | {"metadata": {"note": text}}, reason=text, context={"said": [text]}
    )

    for name in ("decide", "change", "patch", "history"):
        page = text_of(browser.get(address(name, request)))
        assert "<script>alert" not in page
        assert 'onmouseover="alert' not in page
        for character in ("\u202e", "\u3164", "\u2800", "\u200b", "\U000e0041", "\ufe0f"):
            assert character not in page

    whole = text_of(browser.get(address("decide", request)))
    assert json.loads(shown(whole))["metadata"]["note"] == text


@pytest.mark.django_db
def test_what_is_shown_is_what_is_signed(browser, pending_request):
    page = text_of(browser.get(address("decide", pending_request)))

    stored = PayloadVersion.objects.get().payload
    assert json.loads(shown(page)) == stored
