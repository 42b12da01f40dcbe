"""What needs a person now: everything that does not go on by itself, until it is dealt with."""

from django.db.models import Q

from executors.enums import ExecutionStatus as S

#: Executions that are not known, were taken back by the provider and not dealt with since, or are
#: stopped by something that is no hold of anybody.
NEEDS_A_PERSON = (
    Q(status=S.UNKNOWN)
    | Q(status=S.REVERSED, dealt_with_at__isnull=True)
    | Q(status=S.HELD, held_by__isnull=True)
)

#: Findings that nobody has dealt with.
OPEN_FINDING = Q(dealt_with_at__isnull=True)
