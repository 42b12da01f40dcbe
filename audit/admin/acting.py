"""Pages that do one thing: a GET shows what it does, a POST with a reason does it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render

#: What the services accept; longer than anybody should have to read.
MOST_REASON = 2000


class ReasonForm(forms.Form):
    """Why something is done. Subclasses put their own fields before it."""

    reason = forms.CharField(
        max_length=MOST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="Your reason",
        help_text="It is kept in the record, with your name.",
        error_messages={"required": "Write a reason."},
    )


@dataclass(frozen=True, kw_only=True)
class Act:
    """What one page does, in words: title, what about, consequences, the button's text."""

    title: str
    about: str = ""
    consequences: Sequence[str] = ()
    button: str
    danger: bool = False
    back_url: str
    back_text: str = "Back"


Perform = Callable[[dict[str, Any]], HttpResponse]


def act_page(
    request: HttpRequest,
    site: AdminSite,
    *,
    act: Act,
    form_class: type[forms.Form],
    perform: Perform,
    failures: tuple[type[Exception], ...],
    initial: dict[str, Any] | None = None,
) -> HttpResponse:
    """Show the form, or call ``perform`` with its cleaned data.

    One of ``failures`` (errors of a service, with ``message`` and perhaps ``field``) becomes a
    sentence on the form, with what was typed still in it; the answer is then a 409.
    """
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(("GET", "HEAD", "POST"))
    if request.method != "POST":
        return _render(request, site, act, form_class(initial=initial), 200)
    form = form_class(request.POST)
    if not form.is_valid():
        return _render(request, site, act, form, 400)
    try:
        return perform(form.cleaned_data)
    except failures as error:
        field = getattr(error, "field", "")
        form.add_error(field if field in form.fields else None, str(error))
        return _render(request, site, act, form, 409)


def _render(
    request: HttpRequest, site: AdminSite, act: Act, form: forms.Form, status: int
) -> HttpResponse:
    context = {
        **site.each_context(request),
        "title": act.title,
        "act": act,
        "form": form,
        "back_url": act.back_url,
        "back_text": act.back_text,
    }
    return render(request, "audit/act.html", context, status=status)
