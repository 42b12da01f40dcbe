"""The state diagram of the documentation."""

from dataclasses import dataclass

from executors.diagram import mermaid
from executors.transitions import TRANSITIONS


@dataclass
class Step:
    by: tuple[str, ...]
    event: str


def test_it_draws_a_table() -> None:
    table = {"OPEN": {"SHUT": Step(by=("person", "system"), event="door:shut")}, "SHUT": {}}

    assert mermaid(table) == (
        "stateDiagram-v2\n"
        "    [*] --> OPEN\n"
        "    OPEN --> SHUT: door:shut (person, system)\n"
        "    SHUT --> [*]\n"
    )


def test_it_draws_what_is_final_at_birth() -> None:
    table = {"OPEN": {"SHUT": Step(by=("person",), event="door:shut")}}

    drawn = mermaid(table, at_birth={"OPEN", "BRICKED"})

    assert "[*] --> BRICKED\n" in drawn
    assert "BRICKED --> [*]\n" in drawn


def test_it_draws_every_step_of_an_execution() -> None:
    drawn = mermaid(TRANSITIONS)

    steps = [(before, after) for before, steps in TRANSITIONS.items() for after in steps]
    assert all(f"{before.value} --> {after.value}: " in drawn for before, after in steps)
    assert "execution:refuse, execution:revoke (worker, person, system)" in drawn
