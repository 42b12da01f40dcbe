"""The ledgers that must agree about an execution: the provider's, the rows, the record."""

from audit import timeline
from executors.base import Prepared
from executors.models import Execution, Intent
from tests.executors.scripted import ScriptedExecutor


def story_of(execution: Execution) -> list[str]:
    """Check the record, and return the execution's events, oldest first.

    Its subject's facts are numbered without a gap, and the last one says what the row is now.
    """
    execution.refresh_from_db()
    facts = timeline.facts_about(execution.subject)
    assert [fact.number for fact in facts] == list(range(1, len(facts) + 1))
    rows = [fact for fact in facts if isinstance(fact, Execution.history.model)]
    for field in rows[-1].tracked_fields:
        assert getattr(rows[-1], field.attname) == getattr(execution, field.attname), field.name
    return [row.event for row in rows]


def sent_for(execution: Execution, executor: ScriptedExecutor) -> int:
    """Return how often the provider got it: each time the stored bytes, under the one key."""
    got = [prepared for prepared, key in executor.sent if key == f"cs_{execution.jti}"]
    stored = Intent.objects.filter(pk=execution.pk).first()
    if stored is not None:
        assert stored.idempotency_key == f"cs_{execution.jti}"
        bytes_ = Prepared(
            method=stored.method, path=stored.path, body=stored.body, api_version=stored.api_version
        )
        assert set(map(repr, got)) <= {repr(bytes_)}
    else:
        assert got == []
    return len(got)


def tries_of(execution: Execution) -> list[tuple[int, str]]:
    """Return fence and outcome of each attempt, in order; they are numbered without a gap."""
    attempts = list(execution.attempts.order_by("number"))
    assert [attempt.number for attempt in attempts] == list(range(1, len(attempts) + 1))
    return [(attempt.fence, attempt.outcome) for attempt in attempts]
