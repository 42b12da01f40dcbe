"""Which executions the provider should be read about now. Asking a little too often is cheap."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery

from audit import clock
from executors import bell, registry
from executors.enums import ExecutionStatus as S
from executors.enums import ReadingResult
from executors.models import Execution, ProviderEvent, Reading

#: An UNKNOWN is read after 1, 2, 4, 8 minutes, then every ten: as far apart as the two listings
#: that prove absence. One that stays unknown for a day waits for a person, and is read hourly.
_FIRST_PAUSE = timedelta(minutes=1)
_PAUSE = timedelta(minutes=10)
_LONG_PAUSE = timedelta(hours=1)
_MANY_READINGS = 150

#: A refund that is still on its way is read every five minutes on its first day, then hourly.
_UNSETTLED_PAUSE = timedelta(minutes=5)
_YOUNG = timedelta(days=1)
#: A refund that succeeded may still fail, within about thirty days and mostly early; events tell
#: that sooner, so these few readings are for the events that never came.
_AGES = tuple(
    timedelta(hours=hours) for hours in (1, 24, 3 * 24, 7 * 24, 14 * 24, 21 * 24, 30 * 24)
)
#: Before a failed reading is repeated, in addition to the above.
_AFTER_TROUBLE = timedelta(minutes=10)


def ring_for_readings(*, limit: int) -> list[str]:
    """Ring for what is due to be read; return whom it rang for. Stops when the bell is broken."""
    rung = []
    for execution_id in due(clock.now(), limit=limit):
        rung.append(execution_id)
        if not bell.ring_to_reconcile(execution_id):
            break
    return rung


def find_due_readings(*, limit: int, without: Collection[str] = ()) -> list[str]:
    """Return what is due to be read now, as ``due`` does, but for the executions in ``without``."""
    return due(clock.now(), limit=limit, among=Execution.objects.exclude(pk__in=without))


def is_due_reading(*, execution_id: str) -> bool:
    """Tell whether the provider should be read about an execution now, or has just been."""
    return bool(due(clock.now(), limit=1, among=Execution.objects.filter(pk=execution_id)))


def due(at: datetime, *, limit: int, among: "QuerySet[Execution] | None" = None) -> list[str]:
    """Return at most ``limit`` ids of each kind: unknown, announced by an event, to be followed."""
    rows = Execution.objects.all() if among is None else among
    found = [*_unknown(rows, at, limit), *_announced(rows, at, limit), *_followed(rows, at, limit)]
    return list(dict.fromkeys(found))


def _unknown(among: "QuerySet[Execution]", at: datetime, limit: int) -> list[str]:
    rows = among.filter(status=S.UNKNOWN).annotate(
        last=Max("readings__begun_at"), times=Count("readings")
    )
    oldest_first = rows.order_by(F("last").asc(nulls_first=True), "pk")[: 5 * limit]
    return [row.pk for row in oldest_first if _is_due(row.last, row.times, at)][:limit]


def _is_due(last: datetime | None, times: int, at: datetime) -> bool:
    return last is None or next_reading(last, times) <= at


def next_reading(last: datetime, times: int) -> datetime:
    """Return when an UNKNOWN is read next that was read ``times`` times, the last time then."""
    pause = min(_FIRST_PAUSE * 2 ** min(times - 1, 10), _PAUSE)
    return last + (pause if times < _MANY_READINGS else _LONG_PAUSE)


def _announced(among: "QuerySet[Execution]", at: datetime, limit: int) -> list[str]:
    """An event came that no reading has seen; its bell may have been lost."""
    events = ProviderEvent.objects.filter(
        execution=OuterRef("pk"), received_at__gt=OuterRef("seen")
    )
    settled = [S.SUCCEEDED, S.FAILED, S.REFUSED, S.UNKNOWN]
    rows = _with_readings(among).filter(status__in=settled, provider_events__isnull=False)
    went_well = Q(tried__lte=F("seen"))
    unseen = rows.filter(Q(seen__isnull=True) | Exists(events), went_well | _not_just_tried(at))
    return list(_oldest_first(unseen)[:limit])


def _followed(among: "QuerySet[Execution]", at: datetime, limit: int) -> list[str]:
    unsettled = Q(provider_status="")
    for executor in registry.catalogue():
        unsettled |= Q(action=executor.name, provider_status__in=executor.unsettled)
    young = Q(finished_at__gt=at - _YOUNG)
    pause = (young & _not_read_since(at - _UNSETTLED_PAUSE)) | _not_read_since(at - _LONG_PAUSE)
    aged = Q()
    for age in _AGES:
        aged |= Q(finished_at__lte=at - age) & (
            Q(seen__isnull=True) | Q(seen__lt=F("finished_at") + age)
        )
    rows = _with_readings(among).filter(status=S.SUCCEEDED).exclude(provider_reference="")
    recent = Q(finished_at__gt=at - _AGES[-1] - _YOUNG)
    chosen = rows.filter((unsettled & pause) | (~unsettled & recent & aged & _not_just_tried(at)))
    return list(_oldest_first(chosen)[:limit])


def _with_readings(among: "QuerySet[Execution]") -> "QuerySet[Execution]":
    """Add when the last good reading began (``seen``), and the last of any kind (``tried``)."""
    readings = Reading.objects.filter(execution=OuterRef("pk")).order_by("-begun_at")
    good = readings.exclude(result=ReadingResult.UNREADABLE)
    return among.annotate(
        seen=Subquery(good.values("begun_at")[:1]), tried=Subquery(readings.values("begun_at")[:1])
    )


def _not_read_since(moment: datetime) -> Q:
    since = Q(tried__lte=moment) | Q(tried__isnull=True)
    return since & Q(finished_at__lte=moment)


def _not_just_tried(at: datetime) -> Q:
    return Q(tried__isnull=True) | Q(tried__lte=at - _AFTER_TROUBLE)


def _oldest_first(rows: "QuerySet[Execution]") -> "QuerySet[Execution, str]":
    ordered = rows.order_by(F("tried").asc(nulls_first=True), "pk")
    return ordered.values_list("pk", flat=True).distinct()
