"""What the pages about one request show, gathered once for the request and the decide page."""

import json
from datetime import datetime
from typing import Any

from approvals.admin.shares import bar_of
from approvals.enums import RequestStatus
from approvals.errors import ApprovalError
from approvals.models import ApprovalRequest, User
from approvals.permissions import check_may_decide
from approvals.reserving import Promised, promised
from approvals.rules import check_left, present_status
from approvals.viewing import ReviewView
from audit import clock, visible
from executors.enums import Reversibility


def gather(request: ApprovalRequest, user: Any, view: ReviewView) -> dict[str, Any]:
    """Return the context of a page about this request, as this person sees it now."""
    at = clock.now()
    status = present_status(request, at)
    others = promised(request, view.snapshot, at)
    return {
        "row": request,
        "view": view,
        "now": at,
        "status": status,
        "is_open": status == RequestStatus.PENDING,
        "forbidden": _objection(request, status, user, at),
        "fresh": view.is_fresh(at),
        "promised": others,
        "problem": view.problem or _too_much(view, others),
        "bar": None if view.share is None else bar_of(view.share, others),
        "reasons": _reasons(view),
        "payload": shown_payload(view),
        "payload_warnings": visible.warnings(json.dumps(view.payload, ensure_ascii=False)),
        "money": str(view.executor.money(view.payload) or ""),
        "votes": list(request.reviews.select_related("reviewer").order_by("id")),
        "claims": _claims(request),
    }


def shown_payload(view: ReviewView) -> Any:
    """Return the payload out of the view's own bytes: what is shown is what is signed."""
    return json.loads(view.text)["payload"]


def _objection(request: ApprovalRequest, status: RequestStatus, user: User, at: datetime) -> str:
    """Return why this person cannot decide this request now; empty when nothing is in the way."""
    if status != RequestStatus.PENDING:
        return f"This request is no longer open: {status.label.lower()}."
    try:
        check_may_decide(request, user, at)
    except ApprovalError as error:
        return error.message
    return ""


def _too_much(view: ReviewView, others: Promised) -> str:
    """Return why what is left of the payment is not enough; empty when it is."""
    if view.facts is None:
        return ""
    try:
        check_left(view.executor, view.payload, view.facts, others)
    except ApprovalError as error:
        return error.message
    return ""


def _reasons(view: ReviewView) -> list[str]:
    """Return why a person has to look: the catalogue's reasons, as there are no rules yet."""
    reasons = ["No rule allows this without a person."]
    if view.executor.reversibility == Reversibility.IRREVERSIBLE:
        reasons.append("It cannot be undone.")
    if view.share is not None and view.share.total > 0:
        reasons.append(f"It is {view.share.asked * 100 // view.share.total} % of the payment.")
    return [*reasons, *view.description.warnings]


def _claims(request: ApprovalRequest) -> dict[str, Any]:
    text = json.dumps([request.reason, request.context, request.metadata], ensure_ascii=False)
    return {
        "reason": request.reason,
        "context": request.context,
        "metadata": request.metadata,
        "trace_id": request.trace_id,
        "warnings": visible.warnings(text),
    }
