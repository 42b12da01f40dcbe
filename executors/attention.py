"""Which executions need a person now: everything that does not go on by itself."""

from django.db.models import Q

from executors.enums import ExecutionStatus as S

#: Not known, taken back by the provider, or stopped by something that is no hold of anybody.
NEEDS_A_PERSON = Q(status__in=[S.UNKNOWN, S.REVERSED]) | Q(status=S.HELD, held_by__isnull=True)
