"""A headless Chromium on the DevTools protocol, over a pair of pipes: no library needed.

Protocol: https://chromedevtools.github.io/devtools-protocol/ ; with ``--remote-debugging-pipe`` the
browser reads messages of JSON, each ended by a null byte, from descriptor 3 and writes to 4.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.waiting import PATIENCE_S

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--remote-debugging-pipe",
)


class Browser:
    """Messages to it and from it; each tab is a session."""

    def __init__(self, write: int, read: int) -> None:
        self._write = write
        self._read = read
        self._buffer = b""
        self._last = 0
        self._tabs: dict[str, Page] = {}

    def new_tab(self) -> Page:
        """An empty one, with storage of its own."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        place = {"url": "about:blank", "browserContextId": context}
        target = self.call("Target.createTarget", **place)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._tabs[session] = Page(self, session)
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable", session)
        return self._tabs[session]

    def call(self, method: str, session: str | None = None, **params: Any) -> Any:
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._last:
                assert "error" not in answer, answer
                return answer["result"]
            if tab := self._tabs.get(answer.get("sessionId", "")):
                tab.notice(answer.get("method"), answer.get("params"))

    def _receive(self) -> Any:
        while b"\0" not in self._buffer:
            data = os.read(self._read, 1 << 16)
            assert data, "the browser is gone"
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


class Page:
    """One tab, with every request that it made or was kept from making."""

    def __init__(self, browser: Browser, session: str) -> None:
        self.urls: list[str] = []
        self.complaints: list[str] = []
        """Errors, exceptions and broken policies, as the console shows them."""
        self._browser = browser
        self._session = session

    def open(self, url: str) -> None:
        self._browser.call("Page.navigate", self._session, url=url)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; promises are awaited."""
        asked = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        found = self._browser.call("Runtime.evaluate", self._session, **asked)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, expression: str) -> Any:
        """The first true value of the expression."""
        give_up = time.monotonic() + PATIENCE_S
        while not (value := self.evaluate(expression)):
            assert time.monotonic() < give_up, f"never true: {expression}"
            time.sleep(0.05)
        return value

    def notice(self, method: str | None, params: Any) -> None:
        match method:
            case "Network.requestWillBeSent":
                self.urls.append(params["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(params["exceptionDetails"]["text"])
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url')}")


@contextmanager
def browse(command: str, profile: Path) -> Iterator[Browser]:
    """``command`` is Chromium's path. The browser is gone afterwards."""
    its_read, our_write = os.pipe()
    our_read, its_write = os.pipe()

    def place() -> None:
        # Each may have the number that the other is to get, so copy both first.
        read, write = os.dup(its_read), os.dup(its_write)
        os.dup2(read, 3)
        os.dup2(write, 4)

    process = subprocess.Popen(
        [command, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        close_fds=False,
        preexec_fn=place,
    )
    os.close(its_read)
    os.close(its_write)
    try:
        yield Browser(our_write, our_read)
    finally:
        process.kill()
        process.wait()
        os.close(our_write)
        os.close(our_read)
