"""The admin as a whole: its label, its navigation, the counts on its first page."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from approvals.admin.desk.access import may_read
from approvals.enums import RequestStatus
from approvals.models import ApprovalRequest, User, shown_as
from audit import clock, words
from audit.log.verification import services as verification
from executors.attention import NEEDS_A_PERSON, OPEN_FINDING
from executors.enums import ExecutionStatus
from executors.models import Execution, Finding

admin.site.login_template = "approvals/login.html"
admin.site.index_template = "approvals/index.html"
admin.site.index_title = "Overview"

_REQUESTS = "admin:approvals_approvalrequest_changelist"
_EXECUTIONS = "admin:executors_execution_changelist"
_FINDINGS = "admin:executors_finding_changelist"


def environment_label(request: HttpRequest) -> list[str] | None:
    """Return what every page says about where it runs; nothing on a production system."""
    if settings.STRIPE_API_BASE:
        return ["Local Stripe", "warning"]
    if settings.COUNTERSIGN_ENV != "production":
        return ["Demonstration", "info"]
    return None


def waiting() -> "QuerySet[ApprovalRequest]":
    """Return the requests that a person can still decide."""
    return ApprovalRequest.objects.filter(shown_as(RequestStatus.PENDING, clock.now()))


def queue_name(request: HttpRequest) -> str:
    """Return what the queue is called: it waits for whoever decides, and for nobody else."""
    decides = isinstance(request.user, User) and request.user.is_reviewer()
    return "Waiting for you" if decides else "Waiting for a reviewer"


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar. Each link says itself whether it is the present page.

    The theme would mark two links to one list alike, whatever their filters.
    """
    groups = [
        (None, [_waiting_item(request), _all_requests_item(request)]),
        ("Carrying out", _carrying_out_items(request)),
        (
            "Who asks",
            [
                _item(request, "Agents", "approvals.agent", "smart_toy"),
                _item(request, "Agent keys", "approvals.agentkey", "key"),
                _item(request, "Refusals", "approvals.refusal", "block"),
            ],
        ),
        ("Who decides", _deciding_items(request)),
        (
            "Record",
            [
                _search_item(request),
                _item(request, "Verifications", "audit.verificationrun", "verified"),
                _item(request, "Erasures", "audit.erasure", "ink_eraser"),
            ],
        ),
    ]
    return [{"title": title, "separator": bool(title), "items": items} for title, items in groups]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add to the first page what needs a person's eye, with where to find it."""
    context["counts"] = [
        *_request_counts(request),
        *_execution_counts(request),
        *_finding_counts(request),
        *_verification_counts(request),
    ]
    return context


def _request_counts(request: HttpRequest) -> list[dict[str, Any]]:
    if not request.user.has_perm("approvals.view_approvalrequest"):
        return []
    name = queue_name(request)
    return [_count(name[0].lower() + name[1:], waiting().count(), reverse(_REQUESTS), "")]


def _execution_counts(request: HttpRequest) -> list[dict[str, Any]]:
    if not request.user.has_perm("executors.view_execution"):
        return []
    address = reverse(_EXECUTIONS)
    needed = Execution.objects.filter(NEEDS_A_PERSON).count()
    shown = [
        (ExecutionStatus.HELD, "held", "warn"),
        (ExecutionStatus.UNKNOWN, "outcome unknown", "no"),
        (ExecutionStatus.REVERSED, "taken back by the provider", "no"),
        (ExecutionStatus.FAILED, "refused by the provider", "no"),
        (ExecutionStatus.REFUSED, "refused by us", ""),
    ]
    counted = Execution.objects.aggregate(
        **{status.value: Count("pk", filter=_of_interest(status)) for status, _, _ in shown}
    )
    by_status = [
        _count(text, counted[status.value], f"{address}?{_asking_for(status)}", tone)
        for status, text, tone in shown
    ]
    return [_count("need a person", needed, f"{address}?attention=yes", "no"), *by_status]


def _of_interest(status: ExecutionStatus) -> Q:
    """Return which executions of a status are counted: of the reversed those not dealt with."""
    has_status = Q(status=status)
    return has_status & NEEDS_A_PERSON if status == ExecutionStatus.REVERSED else has_status


def _asking_for(status: ExecutionStatus) -> str:
    attention = "&attention=yes" if status == ExecutionStatus.REVERSED else ""
    return f"status__exact={status.value}{attention}"


def _finding_counts(request: HttpRequest) -> list[dict[str, Any]]:
    if not request.user.has_perm("executors.view_finding"):
        return []
    address = f"{reverse(_FINDINGS)}?state=open"
    return [_count("open findings at the provider", _open_findings(), address, "no")]


def _verification_counts(request: HttpRequest) -> list[dict[str, Any]]:
    """Say what the last verification of the record found, and when that was."""
    if not request.user.has_perm("audit.view_verificationrun"):
        return []
    last = verification.last_run()
    address = reverse("admin:audit_verificationrun_changelist")
    if last is None or last.ended_at is None:
        return [_count("findings in the record: it was not verified yet", 0, address, "")]
    when = words.instant(last.ended_at)
    if last.problem:
        return [_count(f"findings; the record was not verified to the end, {when}", 0, address, "")]
    text = f"findings in the record, verified {when}"
    return [_count(text, last.findings, f"{address}{last.pk}/change/", "no")]


def _open_findings() -> int:
    return Finding.objects.filter(OPEN_FINDING).count()


def _count(text: str, number: int, link: str, tone: str) -> dict[str, Any]:
    return {"text": text, "number": number, "link": link, "tone": tone if number else ""}


def _waiting_item(request: HttpRequest) -> dict[str, Any]:
    item = _item(request, queue_name(request), "approvals.approvalrequest", "inbox")
    item["active"] = item["active"] and not _shows_all(request)
    if item["permission"](request):
        item |= {"badge": waiting().count(), "badge_variant": "primary"}
    return item


def _deciding_items(request: HttpRequest) -> list[dict[str, Any]]:
    return [
        _item(request, "Decisions", "approvals.decision", "gavel"),
        _item(request, "Reviews", "approvals.review", "rate_review"),
        _item(request, "People", "approvals.user", "person"),
        _item(request, "Groups", "auth.group", "group"),
    ]


def _carrying_out_items(request: HttpRequest) -> list[dict[str, Any]]:
    return [
        _executions_item(request),
        _findings_item(request),
        _item(request, "Holds", "executors.hold", "pan_tool"),
    ]


def _executions_item(request: HttpRequest) -> dict[str, Any]:
    item = _item(request, "Executions", "executors.execution", "play_circle")
    return _with_badge(request, item, Execution.objects.filter(NEEDS_A_PERSON).count())


def _findings_item(request: HttpRequest) -> dict[str, Any]:
    item = _item(request, "Findings", "executors.finding", "search")
    return _with_badge(request, item, _open_findings())


def _with_badge(request: HttpRequest, item: dict[str, Any], needed: int) -> dict[str, Any]:
    """Return the item with what needs a person, if anything does and this person may see it."""
    if needed and item["permission"](request):
        item |= {"badge": needed, "badge_variant": "danger"}
    return item


def _all_requests_item(request: HttpRequest) -> dict[str, Any]:
    item = _item(request, "All requests", "approvals.approvalrequest", "list_alt")
    item["active"] = item["active"] and _shows_all(request)
    return item | {"link": f"{item['link']}?status=all"}


def _search_item(request: HttpRequest) -> dict[str, Any]:
    link = reverse("record-search")
    return {
        "title": "Search the record",
        "icon": "manage_search",
        "link": link,
        "active": request.path.startswith(link),
        "permission": may_read,
    }


def _shows_all(request: HttpRequest) -> bool:
    on_list = request.path == reverse(_REQUESTS)
    return on_list and request.GET.get("status", RequestStatus.PENDING) != RequestStatus.PENDING


def _item(request: HttpRequest, title: str, model: str, icon: str) -> dict[str, Any]:
    app_label, model_name = model.split(".")
    link = reverse(f"admin:{app_label}_{model_name}_changelist")
    permission = f"{app_label}.view_{model_name}"
    return {
        "title": title,
        "icon": icon,
        "link": link,
        "active": request.path.startswith(link),
        "permission": lambda request: request.user.has_perm(permission),
    }
