"""The numbers of each subject: from one on, over all history tables, none left out, none twice."""

import heapq
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Count, Exists, Max, Min, OuterRef, Sum

from audit.log.unsealed import history_models
from audit.log.verification.findings import Finding, Tally
from audit.log.verification.pages import pages
from audit.models import Subject

TABLE = Subject._meta.db_table
#: How many rows, their smallest number, their largest, and the sum of all.
_Totals = tuple[int, int, int, int]


def check_subjects(tally: Tally) -> Iterator[Finding]:
    """Check the numbers of all subjects, and that no row is of a subject without a counter."""
    for page in pages(Subject.objects.all()):
        totals = _totals_of([subject.pk for subject in page])
        for subject in page:
            if totals.get(subject.pk) != _expected(subject.last_number):
                yield from _check_one_by_one(subject.pk)
        tally.subjects += len(page)
        tally.advance(len(page))
    for model in history_models():
        yield from _find_foreign(model)


def _expected(last: int) -> _Totals | None:
    return (last, 1, last, last * (last + 1) // 2) if last else None


def _totals_of(subjects: Sequence[str]) -> dict[str, _Totals]:
    """Return the totals of each subject: cheap, and different for any one change."""
    found: dict[str, _Totals] = {}
    for model in history_models():
        rows = model._default_manager.filter(subject__in=subjects).order_by()
        counted = rows.values_list("subject").annotate(
            Count("pk"), Min("number"), Max("number"), Sum("number")
        )
        for subject, count, least, most, total in counted:
            count0, least0, most0, total0 = found.get(subject, (0, least, most, 0))
            found[subject] = (
                count0 + count,
                min(least0, least),
                max(most0, most),
                total0 + total,
            )
    return found


def _check_one_by_one(subject: str) -> Iterator[Finding]:
    """Name the numbers that are wrong. Numbers are only given out, so that of those up to the
    counter none may be missing, and a row that is seen before the counter is never beyond it."""
    until = _last_number(subject)
    expected = 1
    for number, table, pk in _numbers(subject):
        if number > until:
            break
        if number < expected:
            yield _wrong(table, pk, number)
        else:
            yield from _gap(subject, expected, number)
            expected = number + 1
    yield from _gap(subject, expected, until + 1)
    yield from _find_beyond(subject)


def _find_beyond(subject: str) -> Iterator[Finding]:
    most = max((number for number, _, _ in _numbers(subject)), default=0)
    until = _last_number(subject)
    if most > until:
        for number, table, pk in _numbers(subject):
            if until < number <= most:
                yield _wrong(table, pk, number)


def _last_number(subject: str) -> int:
    return Subject.objects.filter(pk=subject).values_list("last_number", flat=True).first() or 0


def _numbers(subject: str) -> Iterator[tuple[int, str, int]]:
    """Yield number, table and row of all rows of a subject, in the order of their numbers."""
    return heapq.merge(*(_numbers_in(model, subject) for model in history_models()))


def _numbers_in(model: Any, subject: str) -> Iterator[tuple[int, str, int]]:
    rows = model._default_manager.filter(subject=subject)
    for page in pages(rows.values_list("number", "pk", named=True), key="number"):
        for row in page:
            yield row.number, model._meta.db_table, row.pk


def _find_foreign(model: Any) -> Iterator[Finding]:
    counter = Subject.objects.filter(pk=OuterRef("subject"))
    rows = model._default_manager.filter(~Exists(counter))
    for page in pages(rows.values_list("pk", named=True)):
        for row in page:
            yield Finding(
                kind="number",
                table=model._meta.db_table,
                row=str(row.pk),
                sentence="Its subject has no counter.",
            )


def _gap(subject: str, first: int, end: int) -> Iterator[Finding]:
    if first < end:
        which = f"Number {first} is" if end == first + 1 else f"Numbers {first} to {end - 1} are"
        yield Finding(kind="gap", table=TABLE, row=subject, sentence=f"{which} missing.")


def _wrong(table: str, pk: int, number: int) -> Finding:
    sentence = f"Its number {number} was given out to another row, or to none."
    return Finding(kind="number", table=table, row=str(pk), sentence=sentence)
