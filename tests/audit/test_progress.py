"""A progress bar is for a terminal alone."""

import io

import pytest

from audit.progress import Bar

pytestmark = pytest.mark.embedded


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_each_whole_per_cent_once():
    terminal = Terminal()
    bar = Bar(terminal, 1000)
    for _ in range(1000):
        bar.advance(1)

    drawn = terminal.getvalue().split("\r")[1:]
    assert len(drawn) == 101
    assert drawn[0] == f"[{' ' * 40}]   0 %"
    assert drawn[50] == f"[{'#' * 20}{' ' * 20}]  50 %"
    assert drawn[-1] == f"[{'#' * 40}] 100 %"


def test_more_steps_than_expected_leave_it_full():
    terminal = Terminal()
    bar = Bar(terminal, 0)
    bar.advance(5)
    bar.advance(5)

    assert terminal.getvalue().count("100 %") == 1


def test_it_makes_room_for_a_line_and_comes_back():
    terminal = Terminal()
    bar = Bar(terminal, 10)
    bar.clear()
    bar.advance(5)
    bar.clear()
    bar.advance(0)

    assert terminal.getvalue().count("\x1b[K") == 1
    assert terminal.getvalue().count("50 %") == 2


def test_anything_else_sees_nothing():
    file = io.StringIO()
    bar = Bar(file, 10)
    bar.advance(5)
    bar.clear()

    assert file.getvalue() == ""
