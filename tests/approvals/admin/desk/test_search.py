"""The search: each field alone, all together, page by page, within bounds."""

import pytest
from django import forms
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from approvals.admin.desk import searching
from approvals.admin.desk.search import parse_amount
from approvals.models import FactsSnapshot
from approvals.services.refusals import record_refused_person
from audit import actors, clock
from executors.models import Execution
from tests.approvals.admin.desk.conftest import record_of, run, text_of
from tests.conftest import make_person

pytestmark = pytest.mark.django_db

SEARCH = reverse("record-search")


@pytest.fixture
def other(submit, make_payment):
    """Another agent's wish would do as well: 20.00 EUR of another payment, still pending."""
    return submit(
        {"payment_intent": make_payment(currency="eur").id, "amount": 2000, "currency": "eur"}
    )


@pytest.fixture
def carried_out(pending_request, approve, other):
    """A refund of 95.00 USD that was carried out, beside another that waits."""
    approve(pending_request)
    run(pending_request)
    pending_request.refresh_from_db()
    return pending_request


def found(desk, **asked) -> list[str]:
    """Return the ids that a search finds, in their order."""
    answer = desk.get(SEARCH, asked)
    assert answer.status_code == 200, asked
    return [one.request.pk for one in answer.context["results"]]


def test_each_field_finds_it_and_not_the_other(carried_out, other, desk):
    snapshot = carried_out.facts.get()
    FactsSnapshot.objects.filter(pk=snapshot.pk).update(
        material=snapshot.material | {"customer": "cus_7"},
        display=snapshot.display | {"customer_email": "jo@example.com", "customer_name": "Jo Doe"},
    )
    execution = Execution.objects.get()
    asked = [
        {"person": "reviewer"},
        {"customer": "cus_7"},
        {"customer": "jo@example.com"},
        {"customer": "Jo Doe"},
        {"payment": snapshot.material["payment"]},
        {"payment": snapshot.material["charge"]},
        {"payment": execution.provider_reference},
        {"amount": "95.00 USD"},
        {"amount": "9500"},
        {"amount": "9,500 usd"},
        {"status": "APPROVED"},
        {"status": "APPROVED", "person": "reviewer", "amount": "9500", "agent": "billing-agent"},
    ]
    for one in asked:
        assert found(desk, **one) == [carried_out.pk], one


def test_what_ran_out_is_found_as_expired_swept_or_not(pending_request, desk, later):
    assert found(desk, status="PENDING") == [pending_request.pk]
    later(days=8)

    assert found(desk, status="PENDING") == []
    assert found(desk, status="EXPIRED") == [pending_request.pk]
    asked = {"status": "EXPIRED"}
    assert ">Expired<" in text_of(desk.get(SEARCH, asked))
    file = b"".join(desk.get(reverse("record-export"), asked).streaming_content).decode()
    assert f"{pending_request.pk}," in file and ",EXPIRED," in file and ",PENDING," not in file


def test_what_both_are_finds_both_newest_first(carried_out, other, desk):
    key = carried_out.agent_key
    today = clock.now().date().isoformat()
    for one in (
        {"agent": "billing-agent"},
        {"agent": carried_out.agent_id},
        {"agent": key.pk},
        {"agent": key.prefix},
        {"since": today},
        {"until": today},
        {"since": today, "until": today},
    ):
        assert found(desk, **one) == [other.pk, carried_out.pk], one


@pytest.mark.parametrize(
    "asked",
    [
        {"person": "reviewe"},
        {"person": "reviewer", "status": "PENDING"},
        {"agent": "billing"},
        {"customer": "cus_none"},
        {"payment": "pi_none"},
        {"amount": "9500 EUR"},
        {"amount": "95"},
        {"since": "2999-01-01"},
        {"until": "1999-01-01"},
        {"payment": "' OR 1=1 --"},
    ],
)
def test_what_does_not_match_is_not_found(carried_out, desk, asked):
    assert found(desk, **asked) == []


def test_a_changed_amount_is_found_too(pending_request, approve, refund_payload, desk):
    approve(pending_request, patch=refund_payload | {"amount": 6000})

    assert found(desk, amount="60.00 USD") == found(desk, amount="9500") == [pending_request.pk]


def test_who_was_turned_away_is_found(pending_request, desk):
    record_refused_person(
        request_id=pending_request.pk,
        actor=actors.Actor(kind="person", name="admin"),
        code="self_approval",
        message="No.",
    )

    assert found(desk, person="admin") == [pending_request.pk]


def test_nothing_is_searched_before_something_is_asked(carried_out, desk):
    assert found(desk) == []
    assert "Nothing matches" not in text_of(desk.get(SEARCH))


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"amount": "95.00"}, "Say the currency too"),
        ({"amount": "95.0 USD"}, "USD has 2 decimals"),
        ({"amount": "5.00 JPY"}, "JPY has 0 decimals"),
        ({"amount": "95 XYZ"}, "This currency is not known"),
        ({"amount": "much"}, "Write 95.00 USD"),
        ({"amount": "9" * 40}, "Write 95.00 USD"),
        ({"amount": ","}, "That is no amount"),
        ({"since": "2026-02-30"}, "Enter a valid date"),
        ({"since": "2026-02-02", "until": "2026-02-01"}, "The last day is before the first"),
        ({"status": "MAYBE"}, "Select a valid choice"),
        ({"person": "x" * 151}, "at most 150"),
    ],
)
def test_what_cannot_be_asked_is_said(desk, asked, sentence):
    answer = desk.get(SEARCH, asked)

    assert answer.status_code == 400
    assert sentence in text_of(answer)


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1.250 KWD", (1250, "kwd")), ("500 jpy", (500, "jpy")), ("1,250.00USD", (125000, "usd"))],
)
def test_formatted_money_is_read_by_its_currency(text, amount):
    assert parse_amount(text) == amount


def test_too_many_digits_are_refused():
    with pytest.raises(forms.ValidationError):
        parse_amount("9" * 16)


def test_pages_of_a_fixed_size_lead_on_and_keep_the_question(carried_out, other, desk, monkeypatch):
    monkeypatch.setattr(searching, "PER_PAGE", 1)

    first = desk.get(SEARCH, {"agent": "billing-agent"})
    second = desk.get(first.context["older"])

    assert [one.request.pk for one in first.context["results"]] == [other.pk]
    assert [one.request.pk for one in second.context["results"]] == [carried_out.pk]
    assert second.context["older"] == ""
    assert second.context["newer"] == f"{SEARCH}?agent=billing-agent"


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999999", "²"])
def test_a_page_that_is_none_is_the_nearest(carried_out, desk, page):
    assert desk.get(SEARCH, {"agent": "billing-agent", "page": page}).status_code == 200


def test_a_list_costs_a_fixed_few_queries(carried_out, other, desk, django_assert_max_num_queries):
    with django_assert_max_num_queries(25):
        assert len(found(desk, agent="billing-agent")) == 2


def test_a_result_leads_to_its_record(carried_out, desk):
    page = text_of(desk.get(SEARCH, {"amount": "9500"}))

    assert f'href="{record_of(carried_out)}"' in page
    assert "decided by reviewer" in page


@pytest.mark.parametrize("name", ["record-search", "record-export", "record-filter-save"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_who_may_see_a_part_only_is_refused(carried_out, signed_in, name, method):
    person = make_person("partly")
    person.user_permissions.set(Permission.objects.filter(codename="view_approvalrequest"))
    browser = signed_in(person)

    assert getattr(browser, method)(reverse(name), {"amount": "9500"}).status_code == 403
    assert SEARCH not in text_of(browser.get("/admin/"))


def test_whoever_is_not_signed_in_is_sent_to_the_login(db):
    answer = Client().get(SEARCH)

    assert (answer.status_code, answer["Location"][:13]) == (302, "/admin/login/")


@pytest.mark.parametrize("name", ["record-search", "record-export"])
def test_a_search_is_only_read(desk, name):
    assert desk.post(reverse(name)).status_code == 405


def test_the_menu_leads_to_it(desk):
    assert f'href="{SEARCH}"' in text_of(desk.get("/admin/"))
