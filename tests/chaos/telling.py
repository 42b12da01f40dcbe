"""What was counted, said in a few lines. No Django is needed for that."""

from collections import Counter

#: What is counted under which word of the checker's sentences.
SERIOUS = {
    "duplicates": (" refunds of one decision",),
    "lost": (": lost:", "SUCCEEDED with 0 "),
    "stuck": (": stuck in ", "hung:"),
}


def table(total: Counter[str]) -> str:
    """Say it in a few lines. (Faults are those of the schedules; storms come on top.)"""
    faults = _named(total, "fault ")
    ended = _named(total, "ended ")
    plain = (
        "rounds",
        "refunds",
        "that had to be paid",
        "processes",
        "killed",
        "frozen",
        "answers to COMMIT lost",
    )
    plain += ("clock jumps", "requests for money", "ambiguous outcomes")
    return "\n".join(
        [
            ", ".join(f"{total[name]} {name}" for name in plain),
            f"faults in the script: {faults}",
            f"ended: {ended}",
            ", ".join(f"{total[name]} {name}" for name in (*SERIOUS, "problems")),
        ]
    )


def _named(total: Counter[str], prefix: str) -> str:
    return ", ".join(
        f"{number} {name.removeprefix(prefix)}"
        for name, number in sorted(total.items())
        if name.startswith(prefix)
    )
