"""A NUL in an address or a cookie is refused before PostgreSQL is asked about it."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db

ESCAPED = '"\\000aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"'


@pytest.mark.parametrize(
    "address", ["/healthz", "/api/v1/requests", "/.well-known/jwks.json", "/admin/login/"]
)
@pytest.mark.parametrize("cookie", [ESCAPED, "x" * 5000, "no such session", "A" * 32])
def test_a_cookie_that_is_no_session_is_like_none(address, cookie):
    plain, odd = Client(), Client(headers={"cookie": f"sessionid={cookie}"})

    assert odd.get(address).status_code == plain.get(address).status_code < 500


def pages():
    for model in admin.site._registry:
        options = model._meta
        yield f"admin:{options.app_label}_{options.model_name}"


@pytest.mark.parametrize("name", [*pages()])
def test_an_id_of_another_form_is_not_found(browser, name):
    answer = browser.get(reverse(f"{name}_change", args=["abc"]), follow=True)

    assert answer.status_code in (200, 404), "Django itself goes back to the index"
    assert answer.status_code == 404 or answer.redirect_chain


@pytest.mark.parametrize("name", [*pages()])
def test_a_nul_in_an_address_is_refused(browser, name):
    lists = reverse(f"{name}_changelist")

    assert browser.get(lists + "%00/change/").status_code == 400
    for query in ("?q=%00", "?status__exact=%00", "?currency=%00", "?%00=x"):
        assert browser.get(lists + query).status_code == 400
