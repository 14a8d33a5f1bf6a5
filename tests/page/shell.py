"""One tab of a browser with the web page in it, and all that went wrong there."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, Request, expect

TIMEOUT_MS = 15_000
"""Only a test that fails waits so long."""
expect.set_options(timeout=TIMEOUT_MS)


class Shell:
    """``tab`` is Playwright's page. ``check`` fails over what a user would not see: errors in the
    console (violations of the Content-Security-Policy are some), exceptions, requests elsewhere."""

    def __init__(self, tab: Page, base_url: str) -> None:
        self.tab = tab
        self.base_url = base_url
        self.faults: list[str] = []
        self._allowed: list[re.Pattern[str]] = []
        parts = urlsplit(base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        tab.set_default_timeout(TIMEOUT_MS)
        tab.on("console", self._on_console)
        tab.on("pageerror", lambda error: self.faults.append(f"exception: {error}"))
        tab.on("request", self._on_request)

    def open(self, fragment: str = "") -> Shell:
        """Load the document, as a link with this fragment does."""
        self.tab.goto(f"{self.base_url}/{fragment}")
        self.tab.locator("main").wait_for()
        return self

    def go_to(self, page: str) -> Shell:
        """Choose a page in the navigation, by its title."""
        self.navigation.get_by_role("link", name=page, exact=True).click()
        return self

    @property
    def navigation(self) -> Locator:
        return self.tab.get_by_role("navigation", name="Pages")

    @property
    def main(self) -> Locator:
        return self.tab.get_by_role("main")

    @property
    def fragment(self) -> str:
        return urlsplit(self.tab.url).fragment

    def allow(self, pattern: str) -> None:
        """Expect faults like this: a test that provokes a 401 finds it in the console."""
        self._allowed.append(re.compile(pattern))

    def check(self) -> None:
        unexpected = [
            fault
            for fault in self.faults
            if not any(pattern.search(fault) for pattern in self._allowed)
        ]
        assert unexpected == []

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            where = message.location.get("url", "")
            self.faults.append(f"console: {message.text} ({where})")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((f"{self._origin}/", "data:", "blob:")):
            self.faults.append(f"request elsewhere: {request.url}")
