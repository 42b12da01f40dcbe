"""What happened in many rounds, counted."""

from collections import Counter

from executors.enums import AttemptClass
from executors.models import Attempt, Execution
from tests.chaos.judging import may_end_unpaid
from tests.chaos.playing import Round
from tests.chaos.steps import Break, Fate, Jump, Work
from tests.chaos.telling import SERIOUS


def count(played: Round, problems: list[str]) -> Counter[str]:
    """Count one round."""
    executions = played.present()
    attempts = Attempt.objects.filter(execution__in=executions)
    ends = [one.ended for one in played.ended if one.ended is not None]
    fates = Counter(
        job.fate for step in played.schedule.steps if isinstance(step, Work) for job in step.jobs
    )
    total = Counter(
        {
            "rounds": 1,
            "refunds": len(executions),
            "that had to be paid": _had_to_be_paid(played, executions),
            "processes": len(ends),
            "killed": sum(end.signal != 0 for end in ends),
            "frozen": fates[Fate.FREEZE] + fates[Fate.STALL],
            "answers to COMMIT lost": fates[Fate.LOSE_COMMIT],
            "clock jumps": sum(isinstance(step, Jump) for step in played.schedule.steps),
            "requests for money": attempts.count(),
            "ambiguous outcomes": attempts.filter(outcome=AttemptClass.AMBIGUOUS).count(),
            "rounds with problems": bool(problems),
            "problems": len(problems),
        }
    )
    total.update(f"ended {execution.status}" for execution in executions)
    for step in played.schedule.steps:
        if isinstance(step, Break):
            total.update(f"fault {line['fault']}" for line in step.lines)
    for name, words in SERIOUS.items():
        total[name] += sum(any(word in problem for word in words) for problem in problems)
    return total


def _had_to_be_paid(played: Round, executions: list[Execution]) -> int:
    """How many refunds nothing could excuse, so that each of them would be called lost."""
    numbers = {execution.pk: number for number, execution in played.executions.items()}
    ledger = played.stage.ledger()
    return sum(
        not may_end_unpaid(
            execution, number=numbers[execution.pk], schedule=played.schedule, ledger=ledger
        )
        for execution in executions
    )
