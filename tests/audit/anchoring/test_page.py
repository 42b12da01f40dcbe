"""The page about copies says what the code does."""

from pathlib import Path

from audit.anchoring import command, copying, web
from audit.errors import AnchorError


def test_the_page_tells_the_limits_and_the_alarm():
    page = " ".join((Path(__file__).parents[3] / "docs" / "log.md").read_text().split())

    assert f"| `{AnchorError.code}` |" in page
    assert f"has {command.LIMIT:g} seconds" in page
    assert f"from 200 to 299 within {web.LIMIT:g} seconds" in page
    assert (copying.EVERY, copying.LONGEST) == (1, 60)
    assert "after 2 seconds at first and a minute at most" in page
    assert all(f"`{name}`" in page for name in command._PASSED)
