"""What a search found, row by row, for the page and for the CSV file: the same words in both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from approvals.admin import sentences
from approvals.enums import RequestStatus
from approvals.models import ApprovalRequest, FactsSnapshot
from approvals.rules import present_status
from executors.models import Execution

#: Read together, so that a file of any length costs a fixed few queries for each so many rows.
CHUNK = 500


@dataclass(frozen=True, kw_only=True)
class Result:
    """One request as it was found, with its votes, its newest facts and its execution."""

    request: ApprovalRequest
    status: RequestStatus
    sentence: sentences.Sentence
    decided_by: str
    facts: FactsSnapshot | None
    execution: Execution | None

    @property
    def missing(self) -> str:
        """Return why it cannot be put into words, such as an erasure; empty when it can."""
        return sentences.why_not_told(self.request)


def read(rows: "QuerySet[ApprovalRequest]", start: int, end: int) -> list[Result]:
    """Return the results from place ``start`` up to ``end`` of a search, in five queries."""
    with_words = rows.select_related("agent", "agent_key").prefetch_related(
        "payload_versions", "facts", "reviews__reviewer"
    )
    return list(_results(list(with_words[start:end])))


def read_all(rows: "QuerySet[ApprovalRequest]", most: int) -> Iterator[Result]:
    """Yield the results of a search up to so many, chunk by chunk.

    Each chunk begins below the last id of the one before, so that what is submitted meanwhile
    shifts nothing.
    """
    left, below = most, rows
    while left > 0:
        chunk = read(below, 0, min(CHUNK, left))
        yield from chunk
        left -= len(chunk)
        if len(chunk) < CHUNK:
            return
        below = rows.filter(pk__lt=chunk[-1].request.pk)


def _results(requests: Sequence[Any]) -> Iterator[Result]:
    subjects = [request.pk for request in requests]
    executions: dict[str, Execution] = {
        one.subject: one for one in Execution.objects.filter(subject__in=subjects)
    }
    for request in requests:
        voters: list[Any] = sorted(request.reviews.all(), key=lambda review: review.pk)
        yield Result(
            request=request,
            status=present_status(request, request.looked_at),
            sentence=sentences.of_request(request),
            decided_by=", ".join(review.reviewer.get_username() for review in voters),
            facts=max(request.facts.all(), key=lambda row: row.number, default=None),
            execution=executions.get(request.pk),
        )
