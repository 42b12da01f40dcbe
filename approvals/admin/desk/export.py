"""The result of a search as a CSV file that a spreadsheet may open without running anything."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from approvals.admin.desk.results import Result
from audit.erasure.fields import is_erased
from audit.history import stamp
from audit.visible import ERASED

#: Rows of one file; the page says so, and a file that was cut says so in its last line.
MOST_ROWS = 10_000
#: What makes a spreadsheet take a cell for a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_COLUMNS = (
    "request",
    "submitted_at",
    "status",
    "agent",
    "agent_key",
    "service",
    "action",
    "what",
    "amount_minor",
    "currency",
    "payment",
    "customer",
    "reason_of_agent",
    "decided_at",
    "decided_by",
    "execution",
    "execution_status",
    "provider_reference",
    "provider_status",
)


def lines(results: Iterable[Result], *, is_cut: bool) -> Iterator[bytes]:
    """Yield the file line by line, in UTF-8."""
    writer = csv.writer(_Echo())
    yield writer.writerow(_COLUMNS)
    for result in results:
        yield writer.writerow([harmless(value) for value in _cells(result)])
    if is_cut:
        yield writer.writerow(
            [f"Cut after {MOST_ROWS} rows: there are more. Narrow the period and export again."]
        )


def harmless(value: object) -> str:
    """Return a cell as text that no spreadsheet takes for a formula.

    A number below zero is text to it too: that is the price of one rule for all cells.
    """
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cells(result: Result) -> list[Any]:
    request, execution = result.request, result.execution
    material = _material(result)
    ran: tuple[str, ...] = ("",) * 4
    if execution is not None:
        ran = (
            execution.pk,
            execution.status,
            execution.provider_reference,
            execution.provider_status,
        )
    return [
        request.pk,
        stamp(request.submitted_at),
        result.status,
        request.agent.name,
        request.agent_key.prefix,
        request.service,
        request.action,
        result.sentence.title,
        request.amount_minor,
        request.currency,
        material.get("payment"),
        material.get("customer"),
        ERASED if is_erased(request.reason) else request.reason,
        None if request.decided_at is None else stamp(request.decided_at),
        result.decided_by,
        *ran,
    ]


def _material(result: Result) -> dict[str, Any]:
    """Return what the provider said; that it was erased, when it was."""
    if result.facts is None:
        return {}
    if is_erased(result.facts.material):
        return {"payment": ERASED, "customer": ERASED}
    return dict(result.facts.material)


class _Echo:
    """Gives each line back instead of keeping it, so that the whole file is never in memory."""

    def write(self, line: str) -> bytes:
        """Return the line as bytes."""
        return line.encode()
