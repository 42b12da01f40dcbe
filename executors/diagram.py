"""State diagrams, drawn from the transition tables so that the documentation cannot lie."""

from collections.abc import Iterable, Mapping
from typing import Any


def mermaid(
    transitions: Mapping[Any, Mapping[Any, Any]], *, at_birth: Iterable[Any] | None = None
) -> str:
    """Return a table of transitions as a Mermaid state diagram, without the code fence.

    ``at_birth`` are the statuses in which a thing comes into the world; without it, the first of
    the table. Each step says which events it may write, and who may cause it.
    """
    born = sorted(map(str, at_birth)) if at_birth is not None else [str(next(iter(transitions)))]
    reached = [str(after) for steps in transitions.values() for after in steps]
    lines = [f"[*] --> {status}" for status in born]
    lines += [
        f"{before!s} --> {after!s}: {_label(step)}"
        for before, steps in transitions.items()
        for after, step in steps.items()
    ]
    left = {str(before) for before, steps in transitions.items() if steps}
    lines += [f"{end} --> [*]" for end in dict.fromkeys(reached + born) if end not in left]
    return "\n    ".join(["stateDiagram-v2", *lines]) + "\n"


def _label(step: Any) -> str:
    events = ", ".join(str(event) for event in (step.event, *getattr(step, "also", ())))
    return f"{events} ({', '.join(step.by)})"
