"""``manage.py write_docs``: the parts of the documentation that are made from the code."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from approvals import transitions as requests
from approvals.api.errors import PROBLEMS
from executors import transitions as executions
from executors.diagram import mermaid

_NOTE = "<!-- Written by `manage.py write_docs`; change the code, not this file. -->"


def states_page() -> str:
    """Return the page with both state machines, drawn from their tables."""
    request = mermaid(requests.TRANSITIONS, at_birth=requests.AT_BIRTH)
    execution = mermaid(executions.TRANSITIONS)
    return (
        f"# States\n\n{_NOTE}\n\nEach arrow names the event that it writes to the record, and who "
        f"may cause it.\n\n## A request\n\n```mermaid\n{request}```\n\nA final request is never "
        f"reopened.\n\n## An execution\n\n```mermaid\n{execution}```\n\nFrom RUNNING, the steps to "
        "QUEUED, HELD and REFUSED are possible only while no attempt was ambiguous.\n"
    )


def problems_page() -> str:
    """Return the page with every problem code of the API."""
    rows = "\n".join(
        f"| {problem.status.value} | `{code}` | {problem.title} |"
        for code, problem in sorted(PROBLEMS.items(), key=lambda item: (item[1].status, item[0]))
    )
    return (
        f"# Problem codes\n\n{_NOTE}\n\nEvery error of the API is an RFC 9457 problem "
        "(`application/problem+json`) with `type`, `title`, `status`, `detail`, `code`, "
        "`request_id` and, where one is to blame, `field`: a JSON Pointer into the body, or "
        "`parameter`: the name of a query parameter or header. Codes are stable: new ones may "
        f"come, none changes its meaning.\n\n| status | code | meaning |\n|---|---|---|\n{rows}\n"
    )


def pages() -> Mapping[Path, str]:
    """Return every generated page with its place in the clone."""
    docs = settings.BASE_DIR / "docs"
    return {docs / "states.md": states_page(), docs / "api.md": problems_page()}


class Command(BaseCommand):
    """Writes the pages, or compares them."""

    help = "Writes docs/states.md and docs/api.md from the code; --check only compares."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--check", action="store_true", help="fail if a page is out of date")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write or compare; exit with 1 when something is out of date."""
        for path, text in pages().items():
            if not options["check"]:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
            elif not path.exists() or path.read_text() != text:
                raise CommandError(f"{path.name} is out of date; run manage.py write_docs.")
