"""What this floor tells about a subject: what was sent, and what the provider answered."""

from collections.abc import Iterator, Sequence

from audit.canonical import sha256_hex
from audit.erasure.fields import is_erased
from audit.evidence.sealed import SaidRow, SealedRecord, SealedRow
from audit.evidence.sections import Line, Section, Told, each_of_row, fields_of, of_row
from audit.history import stamp
from executors.enums import EventType
from executors.models import Attempt, Execution, Intent, Reading

_STATED = (
    "Kept by this installation as it happened, but not in the sealed log: nothing here proves it."
)


def tell(record: SealedRecord) -> Told:
    """Return what became of the decisions about a subject."""
    table = str(Execution.history.model._meta.db_table)
    by_id: dict[str, list[SealedRow]] = {}
    for row in record.of(table):
        by_id.setdefault(row.said["fields"]["id"], []).append(row)
    return Told(sections=[one for pk, rows in by_id.items() for one in _sections(pk, rows)])


def _sections(pk: str, rows: list[SealedRow]) -> Iterator[Section]:
    yield sent(pk, rows)
    attempts = [attempt_line(one) for one in Attempt.objects.filter(execution_id=pk)]
    readings = [reading_line(one) for one in Reading.objects.filter(execution_id=pk)]
    if attempts or readings:
        yield Section(title="Each try, each reading", note=_STATED, lines=[*attempts, *readings])
    yield answered(rows[-1])


def sent(pk: str, rows: Sequence[SaidRow]) -> Section:
    """Return what was written down to be sent, byte for byte; ``rows`` are of the execution."""
    intent = Intent.objects.filter(pk=pk).first()
    if intent is None:
        return Section(title="What was sent", note="Nothing was sent.")
    if is_erased(intent.body):
        return Section(title="What was sent", note="What was sent was erased.")
    sealed = _sealed_with(intent.body, rows)
    digest, part = (f"digest in {sealed}", f"part of {sealed}") if sealed else ("", "")
    return Section(
        title="What was sent",
        note="Written down, byte for byte, before the first byte left; every try sends the same.",
        lines=[
            Line(label="Body", value=intent.body, source=digest),
            Line(label="Method and path", value=f"{intent.method} {intent.path}", source=part),
            Line(label="Idempotency key", value=intent.idempotency_key),
            Line(label="Account", value=f"{intent.provider_kind} {intent.account}"),
            Line(label="Mode", value="live" if intent.livemode else "test"),
            Line(label="API version", value=intent.api_version),
            Line(label="Written down at", value=stamp(intent.created_at)),
        ],
    )


def _sealed_with(body: str, rows: Sequence[SaidRow]) -> str:
    """Return where the digest of what was about to be sent was sealed; empty when nowhere."""
    digest = sha256_hex(body.encode())
    for row in rows:
        if row.said["event"] == EventType.EXECUTION_INTENT and digest in row.said["reason"]:
            return f"row {row.number}: reason"
    return ""


def attempt_line(attempt: Attempt) -> Line:
    """Return one try at the provider as a line."""
    ended = "not ended" if attempt.ended_at is None else stamp(attempt.ended_at)
    status = "no answer" if attempt.http_status is None else f"HTTP {attempt.http_status}"
    parts = [
        f"{stamp(attempt.started_at)} to {ended}",
        *filter(None, [attempt.outcome, status, attempt.request_id]),
        *filter(None, [attempt.error_code, attempt.error_message]),
    ]
    return Line(label=f"Try {attempt.number}", value=", ".join(parts))


def reading_line(reading: Reading) -> Line:
    """Return one reading of the provider as a line."""
    told = [reading.provider_reference, reading.provider_status]
    wrong = [reading.error_code, reading.error_message]
    parts = [stamp(reading.begun_at), reading.result, *filter(None, [*told, *wrong])]
    return Line(label="Reading", value=", ".join(parts))


def answered(last: SaidRow) -> Section:
    """Return what the provider answered, by a row of the execution."""
    names = ("status", "provider_status", "provider_reference", "error_code", "error_message")
    receipt = last.said["fields"]["receipt"]
    return Section(
        title="What the provider answered",
        note="The last state of the execution, and the receipt.",
        lines=[
            of_row("Execution", last, "fields", "id"),
            of_row("Recorded at", last, "at"),
            *fields_of(last, *names),
            *([] if receipt is None else each_of_row(last, "fields", "receipt")),
        ],
    )
