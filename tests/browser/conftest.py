"""A real browser, at a desk's width and at a phone's, on a live server with the real services."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.conftest import PASSWORD
from tests.support import chromium

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = Path(os.environ.get("COUNTERSIGN_SCREENSHOTS", ROOT / "artifacts" / "screenshots"))
WIDTHS = {"desk": (1366, 900), "phone": (390, 844)}
#: A phone has a thumb instead of a mouse, and lays a page out for its own width.
PHONE = {"has_touch": True, "is_mobile": True}
#: Chromium as root in a container, and without anything that talks to the outside.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: Milliseconds until something that should appear counts as missing.
PATIENCE = 10_000


@pytest.fixture(scope="module")
def chromium_browser() -> Iterator[Browser]:
    """Chromium, found on the PATH; a missing one fails with what to install.

    It ends with its module: the event loop that comes with it is in the way of other tests.
    """
    path = chromium.find_or_install()
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # Playwright's own event loop runs in this thread; Django would take it for ours.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(params=list(WIDTHS))
def width(request: pytest.FixtureRequest) -> str:
    """The name of a width."""
    return str(request.param)


class Desk:
    """One person's window: opens pages, takes pictures, and notices what the console says."""

    def __init__(self, page: Page, base: str, width: str) -> None:
        self.page = page
        self.base = base
        self.width = width
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def sign_in(self, user: Any) -> None:
        self.open("/admin/login/")
        self.page.get_by_label("Username").fill(user.username)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(f"{self.base}/admin/")

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)

    def press(self, what: Locator) -> None:
        """Press it as one does here: with a thumb on a phone, with a mouse at a desk."""
        if self.width == "phone":
            what.tap()
        else:
            what.click()

    def look(self, name: str) -> None:
        """Keep a picture, and check that nothing sticks out of the page sideways."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}-{self.width}.png", full_page=True)
        root = "document.documentElement"
        over = self.page.evaluate(f"{root}.scrollWidth - {root}.clientWidth")
        assert over == 0, f"{name} is {over} px too wide on a {self.width}"


@pytest.fixture
def open_window(
    chromium_browser: Browser, live_server: Any, width: str
) -> Iterator[Callable[..., Desk]]:
    """Open a window of this width; further options are the browser's own."""
    contexts: list[BrowserContext] = []

    def _open(**options: Any) -> Desk:
        wide, high = WIDTHS[width]
        size = {"width": wide, "height": high}
        options = (PHONE if width == "phone" else {}) | options
        context = chromium_browser.new_context(viewport=size, **options)
        contexts.append(context)
        return Desk(context.new_page(), live_server.url, width)

    yield _open
    for context in contexts:
        context.close()


@pytest.fixture
def desk(open_window: Callable[..., Desk], reviewer: Any) -> Iterator[Desk]:
    """The reviewer, signed in; a page that logs an error or breaks the policy fails the test."""
    window = open_window()
    window.sign_in(reviewer)
    yield window
    assert window.complaints == []
