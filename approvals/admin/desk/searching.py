"""The search page of the auditor's desk, its file, and the searches that a person keeps."""

from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    QueryDict,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from approvals import services
from approvals.admin.desk import export, results
from approvals.admin.desk.access import for_auditors
from approvals.admin.desk.search import SearchForm, find
from approvals.errors import InvalidInputError
from approvals.models import SavedFilter
from audit.admin.base import READ

PER_PAGE = 50
#: As far as the file reaches; whoever needs more narrows the period.
_LAST_PAGE = export.MOST_ROWS // PER_PAGE
_PAGE = "page"


class NameForm(forms.ModelForm):  # type: ignore[type-arg] # Django knows none at run time
    """The name of a search, and the search as a query string."""

    class Meta:
        model = SavedFilter
        fields = ("name", "query")


@for_auditors
def search(request: HttpRequest) -> HttpResponse:
    """Show the form, and below it what was found, newest first."""
    if request.method not in READ:
        return HttpResponseNotAllowed(READ)
    form = SearchForm(request.GET)
    page = _page(request)
    found: list[results.Result] = []
    is_asked = bool(form.asked())
    if form.is_valid() and is_asked:
        start = (page - 1) * PER_PAGE
        found = results.read(find(form.cleaned_data), start, start + PER_PAGE + 1)
    query = urlencode(form.asked())
    context = {
        **admin.site.each_context(request),
        "title": "Search the record",
        "form": form,
        "is_asked": is_asked,
        "results": found[:PER_PAGE],
        "page": page,
        "newer": _link(query, page - 1) if page > 1 else "",
        "older": _link(query, page + 1) if len(found) > PER_PAGE and page < _LAST_PAGE else "",
        "query": query,
        "most_rows": export.MOST_ROWS,
        "saved": SavedFilter.objects.filter(owner_id=request.user.pk).order_by("name"),
    }
    return render(request, "approvals/search.html", context, status=200 if form.is_valid() else 400)


@for_auditors
def download(request: HttpRequest) -> HttpResponseBase:
    """Answer with what was found as a CSV file, streamed."""
    if request.method not in READ:
        return HttpResponseNotAllowed(READ)
    form = SearchForm(request.GET)
    if not (form.is_valid() and form.asked()):
        return HttpResponseBadRequest("Search for something first.", content_type="text/plain")
    rows = find(form.cleaned_data)
    is_cut = rows[export.MOST_ROWS : export.MOST_ROWS + 1].exists()
    content = export.lines(results.read_all(rows, export.MOST_ROWS), is_cut=is_cut)
    return StreamingHttpResponse(
        content,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="requests.csv"'},
    )


@for_auditors
def save(request: HttpRequest) -> HttpResponse:
    """Keep a search under a name."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    form = NameForm(request.POST)
    query = _known(request.POST.get("query", ""))
    if not form.is_valid() or not query:
        messages.error(request, "Nothing was saved: a search and a name of 1 to 80 characters.")
        return HttpResponseRedirect(_link(query))
    try:
        saved = services.save_filter(
            owner=request.user, name=form.cleaned_data["name"], query=query
        )
    except InvalidInputError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"Saved: {saved.name}.")
    return HttpResponseRedirect(_link(query))


@for_auditors
def delete(request: HttpRequest, filter_id: int) -> HttpResponse:
    """Forget a search of one's own."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not services.delete_filter(owner=request.user, filter_id=filter_id):
        raise Http404
    messages.success(request, "The saved search is deleted.")
    return HttpResponseRedirect(_link(""))


def _known(query: str) -> str:
    """Return of a query string what the search knows; anything else is not kept."""
    return urlencode(SearchForm(QueryDict(query)).asked())


def _page(request: HttpRequest) -> int:
    asked = request.GET.get(_PAGE, "")
    number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 6 else 1
    return min(max(number, 1), _LAST_PAGE)


def _link(query: str, page: int = 1) -> str:
    more = urlencode({_PAGE: page}) if page > 1 else ""
    whole = "&".join(filter(None, [query, more]))
    address: str = reverse("record-search")
    return f"{address}?{whole}" if whole else address
