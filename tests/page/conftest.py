"""A browser, servers, and tabs that are checked when their test is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import Browser

from page.browser import CONTEXT, find_chromium, start_chromium
from page.servers import Servers
from page.shell import Shell
from support.gateway_process import Gateway

OpenPage = Callable[..., Shell]
Launch = Callable[..., Gateway]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium on PATH")
    with start_chromium(path) as browser:
        yield browser


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    servers = Servers(tmp_path_factory.mktemp("servers"))
    yield servers
    servers.stop()


@pytest.fixture
def server(servers: Servers) -> Gateway:
    """The server that tests share."""
    return servers.start()


@pytest.fixture
def launch(servers: Servers) -> Iterator[Launch]:
    """Starts servers of the test's own; ``changes`` replace sections of the configuration, and
    ``records`` is how many its ledger has."""
    started: list[Gateway] = []

    def start(changes: Mapping[str, Any] | None = None, records: int = 0) -> Gateway:
        started.append(servers.launch(changes, records))
        return started[-1]

    yield start
    for gateway in started:
        gateway.stop()


@pytest.fixture
def open_page(browser: Browser, servers: Servers) -> Iterator[OpenPage]:
    """Opens the page at a fragment, such as ``#/logs``, in a browser profile of its own: by default
    of the shared server; ``base_url`` names another, further options are those of Playwright's
    ``new_context``, such as ``viewport`` and ``color_scheme``."""
    shells: list[Shell] = []

    def open_page(fragment: str = "", base_url: str | None = None, **options: Any) -> Shell:
        context = browser.new_context(**{**CONTEXT, **options})
        shell = Shell(context.new_page(), base_url or servers.start().base_url)
        shells.append(shell)
        return shell.open(fragment)

    yield open_page
    for shell in shells:
        shell.tab.context.close()
    for shell in shells:
        shell.check()
