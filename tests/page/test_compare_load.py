"""The page Compare with as many lanes as there may be, each as fast as models usually are."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import CDPSession, expect

from page.comparisons import lanes, link, start
from page.conftest import OpenPage
from page.servers import Servers, numbered_models
from page.shell import Shell

LANES = 20
RATE = 50
SECONDS = 10
WORDS = "steady tokens of a model that **answers** at length, with `code` and so on.\n\n"
SCRIPT = {
    "text": WORDS * (RATE * SECONDS // len(WORDS.split())),
    "tokens_per_second": RATE,
    "first_token": 0.5,
}
LONGEST_MS = 50.0
"""A frame is late above this. Time of the processor, because other programs that use it while the
test runs are no fault of the page."""
GROWTH = 12_000_000
"""Bytes: the answers, when each of their events came, and what draws them."""


def test_twenty_fast_lanes_keep_every_frame_short_and_memory_flat(
    open_page: OpenPage, servers: Servers
) -> None:
    server = servers.start({"models": numbered_models(LANES, SCRIPT)})
    names = [f"model-{number}" for number in range(1, LANES + 1)]
    viewport = {"width": 1600, "height": 1000}
    shell = open_page(link(*names), base_url=server.base_url, viewport=viewport)
    session = shell.tab.context.new_cdp_session(shell.tab)
    trace = Trace(session)
    start(shell)
    expect(lanes(shell)).to_have_count(LANES)
    expect(shell.main.locator("article[data-status=streaming]")).to_have_count(LANES)
    before = heap(session)
    expect(shell.main.locator(".run-bar")).to_contain_text(
        f"{LANES} of {LANES} answers,", timeout=6 * SECONDS * 1000
    )
    tasks = trace.stop(shell)

    assert len(tasks) > 100
    assert max(tasks) < LONGEST_MS, sorted(tasks)[-10:]
    assert heap(session) - before < GROWTH


class Trace:
    """How long the page's tasks keep the processor, in milliseconds."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session
        self._events: list[Any] = []
        self._is_over = False
        session.on("Tracing.dataCollected", lambda data: self._events.extend(data["value"]))
        session.on("Tracing.tracingComplete", self._end)
        categories = ["devtools.timeline", "disabled-by-default-devtools.timeline"]
        options = {"transferMode": "ReportEvents"}
        session.send(
            "Tracing.start", {**options, "traceConfig": {"includedCategories": categories}}
        )

    def _end(self, _: Any) -> None:
        self._is_over = True

    def stop(self, shell: Shell) -> list[float]:
        self._session.send("Tracing.end")
        while not self._is_over:
            shell.tab.wait_for_timeout(50)
        calls = [thread_of(event) for event in self._events if event["name"] == "FunctionCall"]
        main = max(set(calls), key=calls.count)
        return [
            event["tdur"] / 1000
            for event in self._events
            if event["name"] == "RunTask" and "tdur" in event and thread_of(event) == main
        ]


def thread_of(event: Any) -> tuple[int, int]:
    return event["pid"], event["tid"]


def heap(session: CDPSession) -> int:
    session.send("HeapProfiler.collectGarbage")
    used: int = session.send("Runtime.getHeapUsage")["usedSize"]
    return used
