"""Requests in words, for lists: made of rows that were read beforehand, with no further query."""

from dataclasses import dataclass

from approvals.models import ApprovalRequest
from approvals.viewing import facts_of
from audit.erasure import fields
from audit.erasure.told import erasures_of
from executors import registry
from executors.errors import UnknownActionError


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """What a request is about: a headline, a second line, and the money as text."""

    title: str
    detail: str
    money: str


def is_known(request: ApprovalRequest) -> bool:
    """Tell whether this installation (still) offers the action that was asked for."""
    try:
        registry.get(request.action, request.action_version)
    except UnknownActionError:
        return False
    return True


def is_erased(request: ApprovalRequest) -> bool:
    """Tell whether what was asked for was erased."""
    return any(fields.is_erased(version.payload) for version in request.payload_versions.all())


def erased_by(subject: str) -> list[str]:
    """Return a sentence for each erasure of personal data about a subject."""
    return [told.sentence for told in erasures_of([subject]).get(subject, [])]


def why_not_told(request: ApprovalRequest) -> str:
    """Return why this request cannot be put into words any more; empty when it can."""
    if not is_known(request):
        return "This action is no longer offered here."
    if is_erased(request):
        return "What was asked for was erased."
    return ""


def of_request(request: ApprovalRequest) -> Sentence:
    """Return the words for a request whose ``payload_versions`` and ``facts`` are prefetched.

    An action that is no longer offered here, or was erased, is named, not described.
    """
    missing = why_not_told(request)
    if missing:
        title = f"{request.action}, version {request.action_version}"
        return Sentence(title=title, detail=missing, money="–")
    versions = {version.number: version for version in request.payload_versions.all()}
    payload = versions[request.payload_version].payload
    snapshot = max(request.facts.all(), key=lambda row: row.number, default=None)
    facts = None if snapshot is None else facts_of(snapshot)
    executor = registry.get(request.action, request.action_version)
    words, money = executor.describe(payload, facts), executor.money(payload)
    return Sentence(title=words.title, detail=words.detail, money=str(money or "–"))
