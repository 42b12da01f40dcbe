"""The admin shows. These bases let nobody add, change or delete, whatever their role.

What changes a row is a page of its own with a form, a reason and one call to a service.
"""

from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.text import capfirst
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from audit.admin import changes, fields

READ = ("GET", "HEAD")


class PlainLinks(ChangeList):
    """Links rows by their plain id: ours need no quoting, and people copy these addresses."""

    def url_for_result(self, result: Any) -> str:
        """Return the address of a row's page."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(name, args=[result.pk])


class ViewOnlyAdmin(ModelAdmin):
    """Lists and shows rows, each on a plain page without any form."""

    actions = None
    list_per_page = 50
    list_max_show_all = 200
    list_filter_sheet = True
    change_list_template = "audit/list.html"
    detail_template = "audit/detail.html"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is added here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is changed here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is ever deleted."""
        return False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list with plain links."""
        return PlainLinks

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list; it has no form to post."""
        if request.method not in READ:
            return HttpResponseNotAllowed(READ)
        extra = {"title": capfirst(str(self.opts.verbose_name_plural))} | (extra_context or {})
        response: HttpResponse = super().changelist_view(request, extra)
        return response

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show one row."""
        if request.method not in READ:
            return HttpResponseNotAllowed(READ)
        row = self.viewable(request, object_id)
        return self.detail_response(request, row, extra_context or {})

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Rows that are written once have no history; the framework's own log is not kept."""
        raise Http404

    def viewable(self, request: HttpRequest, object_id: str) -> Any:
        """Return the row that the address names, to a person who may see it."""
        try:
            row = get_object_or_404(self.get_queryset(request), pk=unquote(object_id))
        except (ValueError, ValidationError) as error:
            raise Http404 from error  # no id of this model has that form
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row

    def detail_response(
        self, request: HttpRequest, row: Any, extra: dict[str, Any], status: int = 200
    ) -> HttpResponse:
        """Render the row's page."""
        context = self.page_context(request, row) | extra
        return render(request, self.detail_template, context, status=status)

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return what every page about one row needs."""
        request.current_app = self.admin_site.name
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": str(row),
            "lines": list(fields.lines(row, self.admin_site, request)),
            "list_url": self.url("changelist"),
            "history_url": self.history_url(row),
        }

    def url(self, name: str, *args: Any) -> str:
        """Return the address of one of this model's pages."""
        options = self.opts
        return reverse(f"admin:{options.app_label}_{options.model_name}_{name}", args=args)

    def history_url(self, row: Any) -> str:
        """Return where the row's history is; empty when it has none of its own."""
        return ""


class HistoryPages(SimpleHistoryAdmin):
    """History pages that show who did what, when and why, field by field, and do nothing else.

    The library's own version page saves the old version on a POST, asking for the view permission
    alone; here nothing but reading is answered, for every role.
    """

    history_list_per_page = 50

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """List the versions of one row, newest first."""
        if request.method not in READ:
            return HttpResponseNotAllowed(READ)
        rows = self._rows(request, object_id)
        page = Paginator(rows, self.history_list_per_page).get_page(request.GET.get("p"))
        shown = list(page.object_list)
        older = rows.filter(number__lt=shown[-1].number).first() if shown else None
        context = self._context(request, rows[0])
        context |= {"versions": changes.versions(shown, older, self.added_fields), "page": page}
        return render(request, "audit/history.html", context)

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Show one version whole; never restore it."""
        if request.method not in READ:
            return HttpResponseNotAllowed(READ)
        rows = self._rows(request, object_id)
        row = _version(rows, version_id)
        older = rows.filter(number__lt=row.number).first()
        newer = rows.filter(number__gt=row.number).last()
        context = self._context(request, row)
        context |= {
            "version": changes.versions([row], older, self.added_fields)[0],
            "fields": changes.fields_of(row, self.added_fields),
            "older": older,
            "newer": newer,
        }
        return render(request, "audit/version.html", context)

    def history_url(self, row: Any) -> str:
        """Return where the row's history is."""
        options = self.opts
        return reverse(f"admin:{options.app_label}_{options.model_name}_history", args=[row.pk])

    def added_fields(self, row: Any) -> dict[str, Any]:
        """Return what belongs to this version of the row but is kept in a table of its own."""
        return {}

    def _rows(self, request: HttpRequest, object_id: str) -> Any:
        """Return the history rows of one row, newest first, to a person who may see them."""
        if not self.has_view_history_or_change_history_permission(request):
            raise PermissionDenied
        primary_key = self.opts.pk.attname
        try:
            rows = self.model.history.filter(**{primary_key: unquote(object_id)})
            found = rows.order_by("-number")
            if not found.exists():
                raise Http404
        except ValueError as error:
            raise Http404 from error
        return found

    def _context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        request.current_app = self.admin_site.name
        object_id = getattr(row, self.opts.pk.attname)
        options = self.opts
        prefix = f"admin:{options.app_label}_{options.model_name}"
        return {
            **self.admin_site.each_context(request),
            "opts": options,
            "object_id": object_id,
            "title": f"History of {options.verbose_name} {row.instance}",
            "detail_url": reverse(f"{prefix}_change", args=[object_id]),
            "list_url": reverse(f"{prefix}_changelist"),
            "history_url": reverse(f"{prefix}_history", args=[object_id]),
            "version_name": f"{prefix}_simple_history",
        }


class HistoryAdmin(HistoryPages, ViewOnlyAdmin):
    """Shows rows and their history, and changes neither."""


def _version(rows: Any, version_id: str) -> Any:
    if not version_id.isdecimal():
        raise Http404
    return get_object_or_404(rows, history_id=version_id)
