"""The evidence file of a request, from its page."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from audit import verifier
from audit.log import services as sealer
from tests.approvals.admin.conftest import address, text_of
from tests.audit.evidence.conftest import decided, log_key, own_keys, unseal  # noqa: F401
from tests.conftest import make_person

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("who", ["auditor", "reviewer"])
def test_an_auditor_and_a_reviewer_get_a_file_that_proves_itself(
    who,
    decided,  # noqa: F811
    signed_in,
    request,
):
    browser = signed_in(request.getfixturevalue(who))

    response = browser.get(address("evidence", decided))

    assert response.status_code == 200
    assert verifier.verify(response.content, own_keys()).code == verifier.PROVEN
    assert response["Content-Type"] == "application/zip"
    assert response["Content-Disposition"] == f'attachment; filename="evidence-{decided.pk}.zip"'
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("who", ["auditor", "reviewer"])
def test_the_page_has_one_button_for_it(who, decided, signed_in, request):  # noqa: F811
    page = text_of(signed_in(request.getfixturevalue(who)).get(address("change", decided)))

    assert page.count(f'href="{address("evidence", decided)}"') == 1


def test_who_may_not_read_all_of_it_gets_neither_button_nor_file(decided, signed_in):  # noqa: F811
    person = make_person("partly")
    person.user_permissions.add(Permission.objects.get(codename="view_approvalrequest"))
    browser = signed_in(person)

    assert address("evidence", decided) not in text_of(browser.get(address("change", decided)))
    assert browser.get(address("evidence", decided)).status_code == 403


def test_an_outsider_is_refused(decided, outsider, signed_in):  # noqa: F811
    assert signed_in(outsider).get(address("evidence", decided)).status_code == 403


def test_an_agent_key_never_reaches_it(decided, agent_key):  # noqa: F811
    response = Client(headers={"Authorization": f"Bearer {agent_key.secret}"}).get(
        address("evidence", decided)
    )

    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")
    assert response.content == b""


def test_it_is_only_read(decided, browser):  # noqa: F811
    assert browser.post(address("evidence", decided)).status_code == 405


def test_what_does_not_exist_is_not_found(decided, browser):  # noqa: F811
    decided.pk = "req_none"

    assert browser.get(address("evidence", decided)).status_code == 404


def test_what_is_not_sealed_yet_is_said_on_the_page(decided, browser):  # noqa: F811
    unseal()

    page = browser.get(address("evidence", decided), follow=True)

    assert page.redirect_chain == [(address("change", decided), 302)]
    assert "There is no evidence file yet. 8 of 8 rows are not sealed yet" in text_of(page)


def test_a_key_that_cannot_sign_is_said_without_its_path(decided, browser, settings, tmp_path):  # noqa: F811
    settings.COUNTERSIGN_SIGNING_KEY_FILE = tmp_path / "none.pem"

    page = text_of(browser.get(address("evidence", decided), follow=True))

    assert "No evidence file can be signed" in page
    assert "none.pem" not in page


def test_a_request_that_waits_has_its_file_too(log_key, pending_request, browser):  # noqa: F811
    sealer.seal()

    response = browser.get(address("evidence", pending_request))

    assert verifier.verify(response.content, own_keys()).code == verifier.PROVEN
