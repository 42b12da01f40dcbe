"""What is promised of a payment: approved here, and not yet in the facts that the provider gave.

The provider's facts say what it has refunded. Between an approval and the next reading, or while
an outcome is not known, that money is as good as gone, although the provider does not say so yet.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from approvals.enums import RequestStatus
from approvals.models import ApprovalRequest, FactsSnapshot, shown_as
from audit.erasure.fields import is_erased
from executors import registry
from executors.enums import ExecutionStatus as S
from executors.models import Execution
from executors.money import format_money

_APPROVED = (RequestStatus.APPROVED, RequestStatus.APPROVED_WITH_MODIFICATIONS)
#: Of these a refund may be under way, or may yet be sent. UNKNOWN stays reserved until it is left.
_UNDER_WAY = (S.QUEUED, S.HELD, S.RUNNING, S.UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class Promised:
    """Other requests on the same payment; amounts are in minor units of its currency."""

    currency: str = ""
    approved: Sequence[ApprovalRequest] = ()
    approved_minor: int = 0
    waiting: Sequence[ApprovalRequest] = ()
    waiting_minor: int = 0

    @property
    def approved_money(self) -> str:
        """What is approved, formatted for a person."""
        return format_money(self.approved_minor, self.currency)

    @property
    def waiting_money(self) -> str:
        """What waits, formatted for a person."""
        return format_money(self.waiting_minor, self.currency)


def promised(request: ApprovalRequest, snapshot: FactsSnapshot | None, at: datetime) -> Promised:
    """Return what other requests promise, or ask, of the payment that these facts are about.

    An approved one counts until the provider's facts can contain it: while it is under way, and
    when it succeeded after they were read. What was under way at that moment may count twice,
    until the facts are read again: too little is left then, never too much.
    """
    if snapshot is None or not snapshot.resource:
        return Promised()
    others = ApprovalRequest.objects.filter(facts__resource=snapshot.resource).distinct()
    others = others.exclude(pk=request.pk).select_related("agent").order_by("pk")
    approved = _unseen(others.filter(status__in=_APPROVED), snapshot.read_at)
    waiting = list(others.filter(shown_as(RequestStatus.PENDING, at)))
    return Promised(
        currency=request.currency,
        approved=approved,
        approved_minor=_total(approved),
        waiting=waiting,
        waiting_minor=_total(waiting),
    )


def _unseen(approved: Iterable[ApprovalRequest], read_at: datetime) -> list[ApprovalRequest]:
    by_id = {request.pk: request for request in approved}
    counts = Q(status__in=_UNDER_WAY) | Q(status=S.SUCCEEDED, finished_at__gte=read_at)
    executions = Execution.objects.filter(counts, subject__in=by_id)
    return [by_id[pk] for pk in sorted(executions.values_list("subject", flat=True))]


def _total(requests: Iterable[ApprovalRequest]) -> int:
    return sum(map(_amount, requests))


def _amount(request: ApprovalRequest) -> int:
    """What the present payload asks for: after a decision, what was authorised."""
    executor = registry.get(request.action, request.action_version)
    version = request.payload_versions.get(number=request.payload_version)
    if is_erased(version.payload):
        return request.amount_minor or 0
    money = executor.money(version.payload)
    return 0 if money is None else money.amount_minor
