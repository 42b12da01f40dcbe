"""Filters of the queue."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Count, DateTimeField, F, QuerySet, Value
from django.http import HttpRequest

from approvals.enums import RequestStatus
from approvals.models import ApprovalRequest, shown_as
from audit import clock

ALL = "all"
STATUS = "status"
_SEARCH = "q"
#: Lists annotate their rows with the moment at which they were read; the columns go by it too.
LOOKED_AT = F("looked_at")


def as_of_now(rows: "QuerySet[ApprovalRequest]") -> "QuerySet[ApprovalRequest]":
    """Annotate requests with the moment at which they are read, as ``looked_at``."""
    return rows.annotate(looked_at=Value(clock.now(), output_field=DateTimeField()))


def shown_status(request: HttpRequest) -> str:
    """Return which status the list shows: what is waiting, unless something else is asked for.

    A search without a status looks everywhere: whoever searches for a payment wants to find it.
    """
    asked = request.GET.get(STATUS)
    if asked:
        return asked
    return ALL if request.GET.get(_SEARCH) else RequestStatus.PENDING.value


class StatusFilter(SimpleListFilter):
    """The status, with what is waiting as the list that one comes to."""

    title = "status"
    parameter_name = STATUS

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return all statuses."""
        self.shown = shown_status(request)
        return [*RequestStatus.choices, (ALL, "All")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to the status that is shown."""
        shown = shown_status(request)
        if shown in RequestStatus.values:
            return queryset.filter(shown_as(shown, LOOKED_AT))
        return queryset

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Yield the choices with how many rows each has, in one query."""
        counts = self._counts(changelist)
        for value, label in self.lookup_choices:
            yield {
                "selected": self.shown == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": f"{label} ({counts[value]})",
            }

    def _counts(self, changelist: Any) -> Counter[str]:
        rows = changelist.get_queryset(self.request, exclude_parameters=[STATUS])
        numbers = {
            status: Count("pk", filter=shown_as(status, LOOKED_AT), distinct=True)
            for status in RequestStatus.values
        }
        counts = Counter(rows.order_by().aggregate(**numbers))
        counts[ALL] = counts.total()
        return counts
