"""Saved searches: kept and deleted by their owner, and nobody else's business."""

import pytest
from django.test import Client
from django.urls import reverse

from approvals.models import SavedFilter
from approvals.services import filters
from tests.approvals.admin.desk.conftest import text_of

pytestmark = pytest.mark.django_db

SEARCH, SAVE = reverse("record-search"), reverse("record-filter-save")


def save(browser, name="Ours", query="agent=billing-agent&amount=95.00+USD"):
    return browser.post(SAVE, {"name": name, "query": query}, follow=True)


def delete_url(saved: SavedFilter) -> str:
    return reverse("record-filter-delete", args=[saved.pk])


def test_a_search_is_kept_and_leads_back(desk, auditor):
    page = text_of(save(desk))

    saved = SavedFilter.objects.get()
    assert (saved.owner, saved.name) == (auditor, "Ours")
    assert saved.query == "agent=billing-agent&amount=95.00+USD"
    assert "Saved: Ours." in page
    assert 'href="/admin/record/?agent=billing-agent&amp;amount=95.00+USD"' in page


def test_only_what_the_search_knows_is_kept(desk):
    save(desk, query="agent=a&page=7&next=http%3A%2F%2Fevil&agent=b")

    assert SavedFilter.objects.get().query == "agent=b"


@pytest.mark.parametrize(
    ("name", "query"), [("", "agent=a"), ("x" * 81, "agent=a"), ("n", ""), ("n", "x=1")]
)
def test_without_a_name_or_a_search_nothing_is_kept(desk, name, query):
    assert "Nothing was saved" in text_of(save(desk, name, query))
    assert not SavedFilter.objects.exists()


def test_a_name_is_taken_once_per_person(desk, browser):
    save(desk)
    save(browser)

    assert "You have a saved search &#x27;Ours&#x27; already." in text_of(save(desk))
    assert SavedFilter.objects.count() == 2


def test_there_is_a_limit(desk, monkeypatch):
    monkeypatch.setattr(filters, "MOST_FILTERS", 1)
    save(desk)

    assert "You have 1 saved searches." in text_of(save(desk, name="Another"))


def test_its_owner_deletes_it(desk):
    save(desk)

    page = text_of(desk.post(delete_url(SavedFilter.objects.get()), follow=True))

    assert "The saved search is deleted." in page
    assert not SavedFilter.objects.exists()


def test_nobody_else_sees_or_deletes_it(desk, browser):
    save(desk, name="Secret plan")

    assert "Secret plan" not in text_of(browser.get(SEARCH))
    assert browser.post(delete_url(SavedFilter.objects.get())).status_code == 404
    assert SavedFilter.objects.exists()


def test_both_are_posts_with_the_token_of_the_form(desk, auditor):
    save(desk)
    saved = SavedFilter.objects.get()
    stranger = Client(enforce_csrf_checks=True)
    stranger.force_login(auditor)

    assert desk.get(SAVE).status_code == desk.get(delete_url(saved)).status_code == 405
    assert stranger.post(SAVE, {"name": "n", "query": "agent=a"}).status_code == 403
    assert stranger.post(delete_url(saved)).status_code == 403
    assert SavedFilter.objects.count() == 1


def test_who_may_not_read_the_record_keeps_nothing(signed_in, outsider):
    assert signed_in(outsider).post(SAVE, {"name": "n", "query": "agent=a"}).status_code == 403
    assert not SavedFilter.objects.exists()
