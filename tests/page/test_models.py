"""The page of models: what is configured, whether it works, and what would happen to a request."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from page.accessibility import assert_accessible
from page.conftest import OpenPage
from page.servers import Servers

PRICED = {
    "providers": {"openai": {"api_key": "sk-test"}, "echo": {}},
    "models": {"smart": ["openai/gpt-4.1", "echo/echo"], "fast": "openai/gpt-4.1-mini"},
}


def test_models_are_found_by_name_and_ability(open_page: OpenPage, servers: Servers) -> None:
    shell = open_page("#/models", base_url=servers.start(PRICED).base_url)
    table = shell.main.get_by_role("region", name="Models")

    shell.main.get_by_role("searchbox", name="Search models").fill("gpt-4.1 mini")

    expect(table.locator("tbody tr").first).to_contain_text("gpt-4.1-mini")
    expect(table.locator("tbody tr").first).to_contain_text("$0.40")
    shell.main.get_by_role("searchbox", name="Search models").fill("")
    shell.main.get_by_role("button", name="Reasoning").click()
    expect(table.locator("tbody tr").first).to_contain_text("Reasoning")
    assert "can=reasoning" in shell.fragment


def test_models_are_sorted_with_unknown_values_last(open_page: OpenPage, servers: Servers) -> None:
    shell = open_page("#/models", base_url=servers.start(PRICED).base_url)
    table = shell.main.get_by_role("region", name="Models")

    table.get_by_role("columnheader", name="Input").get_by_role("button").click()

    cells = table.locator("tbody tr td:nth-child(3)").all_inner_texts()
    known = [cell for cell in cells if cell.startswith("$")]
    prices = [float(cell.removeprefix("$")) for cell in known]
    assert prices == sorted(prices)
    assert len(known) < len(cells)
    assert cells[: len(known)] == known


def test_a_model_shows_all_that_is_known_of_it(open_page: OpenPage, servers: Servers) -> None:
    shell = open_page("#/models", base_url=servers.start(PRICED).base_url)
    shell.main.get_by_role("searchbox", name="Search models").fill("openai/gpt-4.1-mini")
    shell.main.get_by_role("button", name="openai/gpt-4.1-mini", exact=True).click()
    dialog = shell.tab.get_by_role("dialog")

    expect(dialog).to_contain_text("Context window")
    expect(dialog).to_contain_text("$1.60")
    expect(dialog.get_by_role("row", name=re.compile("temperature"))).to_contain_text("0 to 2")
    assert_accessible(shell)
    dialog.get_by_role("button", name="Open in the playground").click()
    expect(shell.tab).to_have_title(re.compile("^Playground"))


def test_providers_say_whether_they_have_a_key(open_page: OpenPage, servers: Servers) -> None:
    shell = open_page("#/models/providers", base_url=servers.start(PRICED).base_url)
    openai = shell.main.get_by_role("region", name="openai")

    expect(openai).to_contain_text("api.openai.com")
    expect(openai.get_by_role("button", name="Check the key")).to_be_enabled()
    echo = shell.main.get_by_role("region", name="echo")
    expect(echo.get_by_role("button", name="Check the key")).to_be_disabled()
    assert_accessible(shell)


def test_routes_show_how_their_targets_are(open_page: OpenPage, servers: Servers) -> None:
    shell = open_page("#/models/routes", base_url=servers.start(PRICED).base_url)
    route = shell.main.get_by_role("region", name="Route smart")

    expect(route.locator("tbody tr")).to_have_count(2)
    expect(route.locator("tbody tr").first).to_contain_text("in use")
    assert_accessible(shell)


def test_a_request_is_explained(open_page: OpenPage, servers: Servers) -> None:
    shell = open_page("#/models/explain?model=smart", base_url=servers.start(PRICED).base_url)

    expect(shell.main.get_by_role("heading", name="Route smart")).to_be_visible()
    expect(shell.main.locator(".explain-target").first).to_contain_text("openai/gpt-4.1")
    expect(shell.main.locator(".explain-target").nth(1)).to_contain_text("echo/echo")
    body = shell.main.get_by_label(re.compile("^Body"))
    body.fill('{"model": ')
    shell.main.get_by_role("button", name="Explain").click()
    expect(shell.main.get_by_role("alert")).to_contain_text("The request is not JSON")
    assert_accessible(shell)
