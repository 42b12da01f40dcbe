"""What the pages about one request show, gathered once for the request and the decide page."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from approvals.enums import RequestStatus
from approvals.errors import ApprovalError
from approvals.models import ApprovalRequest, User
from approvals.permissions import check_may_decide
from approvals.rules import present_status
from approvals.viewing import ReviewView
from audit import clock, visible
from executors.base import Share
from executors.enums import Reversibility
from executors.money import format_money


@dataclass(frozen=True, kw_only=True)
class Bar:
    """The share of a payment as a picture of 1000 units width, and the same in words."""

    gone: int
    asked: int
    over: int
    words: str
    gone_text: str
    asked_text: str
    left_text: str
    is_over: bool


def gather(request: ApprovalRequest, user: Any, view: ReviewView) -> dict[str, Any]:
    """Return the context of a page about this request, as this person sees it now."""
    at = clock.now()
    status = present_status(request, at)
    return {
        "row": request,
        "view": view,
        "now": at,
        "status": status,
        "is_open": status == RequestStatus.PENDING,
        "forbidden": _objection(request, status, user, at),
        "fresh": view.is_fresh(at),
        "bar": None if view.share is None else _bar(view.share),
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


def _bar(share: Share) -> Bar:
    left = share.left
    width = max(share.total, share.gone + share.asked, 1)
    asked = min(share.asked, max(share.total - share.gone, 0))
    texts = [format_money(part, share.currency) for part in (share.gone, share.asked, abs(left))]
    rest = f"{texts[2]} left" if left >= 0 else f"{texts[2]} too much"
    total = format_money(share.total, share.currency)
    return Bar(
        gone=share.gone * 1000 // width,
        asked=asked * 1000 // width,
        over=(share.asked - asked) * 1000 // width,
        words=f"{texts[0]} refunded, {texts[1]} this request, {rest} of {total}",
        gone_text=texts[0],
        asked_text=texts[1],
        left_text=texts[2],
        is_over=left < 0,
    )
