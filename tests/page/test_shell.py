"""The frame of the page: what is there whatever page is shown."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from page.accessibility import assert_accessible
from page.browser import WIDTHS
from page.conftest import OpenPage
from page.servers import Servers
from support.gateway_process import GATE_KEY

ASK = """async () => {
  const loaded = performance.getEntriesByType("resource").map(({ name }) => name);
  const { getJson } = await import(loaded.find((name) => name.endsWith("/api/client.js")));
  getJson("api/usage").catch(() => {});
}"""
"""A request by the page's own client."""
TITLES = ("Playground", "Compare", "Dashboard", "Logs", "Models")


def test_the_first_page_is_the_playground(open_page: OpenPage) -> None:
    shell = open_page()

    expect(shell.tab).to_have_title(re.compile("^Playground · Headway"))
    expect(shell.navigation.locator("[aria-current=page]")).to_have_text("Playground")


@pytest.mark.parametrize("title", TITLES)
def test_each_page_is_reached_by_the_navigation(open_page: OpenPage, title: str) -> None:
    shell = open_page("#/models" if title != "Models" else "")
    shell.go_to(title)

    expect(shell.tab).to_have_title(re.compile(f"^{title} · Headway"))
    expect(shell.navigation.locator("[aria-current=page]")).to_have_text(title)
    expect(shell.main.get_by_role("heading").first).to_be_visible()
    shell.tab.go_back()
    expect(shell.tab).not_to_have_title(re.compile(f"^{title} "))


def test_the_page_works_below_a_prefix(open_page: OpenPage, servers: Servers) -> None:
    shell = open_page(base_url=servers.behind_prefix())

    for title in TITLES:
        shell.go_to(title)
        expect(shell.tab).to_have_title(re.compile(f"^{title} · Headway"))
        expect(shell.main.get_by_role("heading").first).to_be_visible()
    assert "/gateway/#/models" in shell.tab.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_keeps_people_from_using_a_page(
    open_page: OpenPage, scheme: str, width: int
) -> None:
    viewport = {"width": width, "height": WIDTHS[width]}
    shell = open_page(color_scheme=scheme, viewport=viewport)

    for title in TITLES:
        shell.go_to(title)
        expect(shell.main.get_by_role("heading").first).to_be_visible()
        assert_accessible(shell)


def test_a_key_is_asked_for_and_kept_for_the_tab(open_page: OpenPage, servers: Servers) -> None:
    shell = open_page("#/models", base_url=servers.with_key().base_url)
    shell.allow("status of 401")
    dialog = shell.tab.get_by_role("dialog", name="Gateway key")
    dialog.get_by_label("Key", exact=True).fill(GATE_KEY)
    dialog.get_by_role("button", name="Use this key").click()
    expect(dialog).to_be_hidden()

    shell.tab.reload()
    expect(shell.main.get_by_role("heading").first).to_be_visible()
    expect(dialog).to_be_hidden()
    assert GATE_KEY not in shell.tab.url
    assert shell.tab.evaluate("() => JSON.stringify(localStorage)").find(GATE_KEY) < 0
    assert shell.tab.context.cookies() == []


def test_a_late_refusal_of_an_earlier_request_does_not_ask_again(
    open_page: OpenPage, servers: Servers
) -> None:
    shell = open_page("#/models", base_url=servers.with_key().base_url)
    shell.allow("status of 401")
    dialog = shell.tab.get_by_role("dialog", name="Gateway key")
    dialog.wait_for()
    held: list[Route] = []
    shell.tab.route("**/api/usage", lambda route: held.append(route))
    shell.tab.evaluate(ASK)
    dialog.get_by_label("Key", exact=True).fill(GATE_KEY)
    dialog.get_by_role("button", name="Use this key").click()
    expect(dialog).to_be_hidden()

    with shell.tab.expect_response("**/api/usage") as refused:
        held[0].continue_()
    assert refused.value.status == 401
    shell.tab.evaluate("() => new Promise((resolve) => setTimeout(resolve, 100))")
    expect(dialog).to_be_hidden()


def test_the_page_can_be_used_by_the_keyboard_alone(open_page: OpenPage) -> None:
    shell = open_page("#/models")
    keyboard = shell.tab.keyboard

    keyboard.press("Tab")
    expect(shell.tab.get_by_role("link", name="Skip to the page")).to_be_focused()
    keyboard.press("Enter")
    expect(shell.main).to_be_focused()


def test_the_files_are_loaded_once(open_page: OpenPage) -> None:
    shell = open_page()
    shell.tab.wait_for_load_state("networkidle")
    first = shell.tab.evaluate("() => performance.getEntriesByType('resource').length")
    shell.tab.reload()
    shell.tab.wait_for_load_state("networkidle")
    fetched = shell.tab.evaluate(
        """() => performance.getEntriesByType('resource')
             .filter(({ name, transferSize }) => name.includes('/ui/') && transferSize > 0)
             .map(({ name }) => name)"""
    )

    assert first > 0
    assert fetched == []
