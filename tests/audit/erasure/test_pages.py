"""Pages and the API say that something was erased, and none of them breaks."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from approvals import reserving
from approvals.models import ApprovalRequest, Decision, FactsSnapshot
from audit import clock
from audit.errors import EvidenceError
from audit.evidence import package
from executors import findings
from executors.admin.executions import VERBS
from executors.enums import FindingKind
from executors.models import Execution, Finding
from tests.audit.erasure.conftest import PERSONAL

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(admin_user):
    client = Client()
    client.force_login(admin_user)
    return client


def addresses_of(model) -> list[str]:
    """Every page about every row of a model."""
    prefix = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    found = [reverse(f"{prefix}_changelist"), reverse(f"{prefix}_changelist") + "?q=nowhere"]
    for row in model._default_manager.all():
        found.append(reverse(f"{prefix}_change", args=[row.pk]))
        if hasattr(model, "history"):
            found.append(reverse(f"{prefix}_history", args=[row.pk]))
            found += [
                reverse(f"{prefix}_simple_history", args=[row.pk, version.pk])
                for version in row.history.all()
            ]
    return found


def our_admins():
    return [m for m in admin.site._registry if m._meta.app_label != "auth"]


def test_no_page_breaks_or_shows_what_was_erased(erased, browser):
    finding = findings.report(
        FindingKind.DUPLICATE,
        reference="re_2",
        message="x",
        execution=Execution.objects.get(),
        at=clock.now(),
    )
    Finding.objects.filter(pk=finding.pk).update(message=None)
    seen = 0
    for model in our_admins():
        for address in addresses_of(model):
            response = browser.get(address)
            assert response.status_code == 200, address
            text = response.content.decode()
            assert not any(one in text for one in PERSONAL), address
            seen += 1
    assert seen > 60


def test_the_request_page_says_who_erased_it_when_and_why(erased, browser):
    page = browser.get(reverse("admin:approvals_approvalrequest_change", args=[erased.pk]))

    text = page.content.decode()
    assert "What was asked for was erased. Erased by person:admin on 20" in text
    assert "Asked for by the customer." in text
    assert "erased personal data" in text  # in the story


def test_the_list_names_what_it_cannot_describe(erased, browser):
    page = browser.get(reverse("admin:approvals_approvalrequest_changelist") + "?status=all")

    assert "What was asked for was erased." in page.content.decode()


@pytest.mark.parametrize("name", ["decide", "patch", "refresh", "evidence"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_what_can_be_done_with_a_request_breaks_nowhere(erased, browser, name, method):
    address = reverse(f"admin:approvals_approvalrequest_{name}", args=[erased.pk])

    response = getattr(browser, method)(address, {"outcome": "approve", "reason": "x"})

    assert response.status_code in (302, 405)


@pytest.mark.parametrize("name", VERBS)
def test_what_can_be_done_with_an_execution_breaks_nowhere(erased, reviewer, name):
    browser = Client()
    browser.force_login(reviewer)
    execution = Execution.objects.get()
    address = reverse(f"admin:executors_execution_{name}", args=[execution.pk])

    assert browser.get(address).status_code == 200
    assert browser.post(address, {"reason": "x"}).status_code < 500


def test_the_evidence_file_is_refused_and_the_erasure_named(erased):
    with pytest.raises(EvidenceError) as caught:
        package.make(erased.pk)

    assert f"Personal data about {erased.pk} was erased" in str(caught.value)
    assert "Erased by person:admin on 20" in str(caught.value)


def test_the_api_reads_an_erased_request_with_nulls(erased, agent_key, settings):
    settings.REDIS_URL = ""
    client = Client(headers={"authorization": f"Bearer {agent_key.secret}"})

    one = client.get(f"/api/v1/requests/{erased.pk}")
    several = client.get("/api/v1/requests")
    decision = client.get(f"/api/v1/requests/{erased.pk}/decision")

    assert [one.status_code, several.status_code, decision.status_code] == [200, 200, 200]
    request, said = one.json(), decision.json()
    assert (request["payload"], request["reason"], request["status"]) == (None, None, "APPROVED")
    assert len(request["payload_sha256"]) == 64
    assert request["execution"]["receipt"]["amount"] == 9500
    assert several.json()["data"] == [request]
    assert (said["payload"], said["diff"], said["token"], said["reason"]) == (None,) * 4
    assert said["reviewers"][0]["username"] == "reviewer"


def test_what_was_erased_still_counts_as_promised(erased, submit, refund_payload):
    """An erased success that another request's facts do not contain yet."""
    later = submit(refund_payload | {"amount": 100})
    snapshot = later.facts.get()
    snapshot.read_at = Execution.objects.get(subject=erased.pk).finished_at

    promised = reserving.promised(later, snapshot, clock.now())

    assert promised.approved_minor == 9500


def test_nothing_was_left_to_show(erased):
    assert ApprovalRequest.objects.get().reason is None
    assert Decision.objects.get().diff is None
    assert FactsSnapshot.objects.get().display is None
