"""The dashboard: its figures are those of the ledger, and lead to the calls behind them."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlencode
from urllib.request import urlopen

from playwright.sync_api import Locator, expect

from page.accessibility import assert_accessible
from page.conftest import Launch, OpenPage
from page.servers import Servers
from page.shell import Shell


def usage(shell: Shell, **query: str) -> Any:
    with urlopen(f"{shell.base_url}/api/usage?{urlencode(query)}") as response:
        return json.load(response)


def tile(shell: Shell, name: str) -> Locator:
    return shell.main.get_by_role("region", name=name, exact=True).locator(".tile-value")


def query_of(shell: Shell) -> dict[str, list[str]]:
    return parse_qs(shell.fragment.partition("?")[2])


def test_the_tiles_show_what_the_ledger_says(open_page: OpenPage, servers: Servers) -> None:
    shell = open_page("#/dashboard?range=30d", base_url=servers.with_records().base_url)
    expect(tile(shell, "Requests")).to_be_visible()

    total = usage(shell)["total"]

    expect(tile(shell, "Requests")).to_have_text(f"{total['calls']:,}")
    expect(tile(shell, "Spend")).to_have_text(f"${total['cost_usd']:.2f}")
    share = total["errors"] / total["calls"]
    expect(tile(shell, "Failed")).to_have_text(f"{share:.1%}")
    p50 = total["metrics"]["time_to_first_token_s"]["p50"]
    expect(tile(shell, "Time to first token")).to_have_text(f"{p50 * 1000:.0f} ms")


def test_the_range_is_in_the_address(open_page: OpenPage, servers: Servers) -> None:
    shell = open_page("#/dashboard", base_url=servers.with_records().base_url)

    shell.main.get_by_role("radio", name="24 h").click()

    assert query_of(shell)["range"] == ["24h"]
    shell.tab.reload()
    expect(shell.main.get_by_role("radio", name="24 h")).to_be_checked()


def test_exact_dates_are_a_range(open_page: OpenPage, servers: Servers) -> None:
    shell = open_page("#/dashboard", base_url=servers.with_records().base_url)

    shell.main.get_by_role("button", name="Dates").click()
    shell.main.get_by_label("From").fill("2026-01-02T00:00")
    shell.main.get_by_label("To", exact=True).fill("2026-01-01T00:00")
    shell.main.get_by_role("button", name="Show").click()
    expect(shell.main.get_by_role("alert")).to_have_text("The end is not after the beginning.")
    shell.main.get_by_label("To", exact=True).fill("2026-01-03T00:00")
    shell.main.get_by_role("button", name="Show").click()

    assert "2026-01-02" in query_of(shell)["since"][0]
    expect(shell.main.get_by_role("heading", name="No calls in this range")).to_be_visible()


def test_a_group_of_the_table_becomes_a_filter(open_page: OpenPage, servers: Servers) -> None:
    shell = open_page("#/dashboard?range=30d", base_url=servers.with_records().base_url)
    table = shell.main.get_by_role("region", name="Table by model")
    first = table.locator("tbody tr").first
    name = first.get_by_role("button").inner_text()

    first.get_by_role("button").click()

    assert query_of(shell)["model"] == [name]
    calls = usage(shell, model=name)["total"]["calls"]
    expect(tile(shell, "Requests")).to_have_text(f"{calls:,}")
    shell.main.get_by_role("button", name=f"Remove the filter model {name}").click()
    assert "model" not in query_of(shell)


def test_the_table_is_sorted_by_any_column(open_page: OpenPage, servers: Servers) -> None:
    shell = open_page("#/dashboard?range=30d&by=user", base_url=servers.with_records().base_url)
    table = shell.main.get_by_role("region", name="Table by user")
    head = table.get_by_role("columnheader", name="Requests")

    head.get_by_role("button").click()

    expect(head).to_have_attribute("aria-sort", "descending")
    cells = table.locator("tbody tr td:nth-child(3)").all_inner_texts()
    calls = [int(cell.replace(",", "")) for cell in cells]
    assert calls == sorted(calls, reverse=True)


def test_a_point_of_a_chart_leads_to_its_calls(open_page: OpenPage, servers: Servers) -> None:
    shell = open_page("#/dashboard?range=7d", base_url=servers.with_records().base_url)
    chart = shell.main.locator(".chart .u-over").first

    chart.hover(position={"x": 100, "y": 60})
    expect(shell.main.locator(".chart-tooltip:visible")).to_contain_text(re.compile(r"\$\d"))
    chart.click(position={"x": 100, "y": 60})

    expect(shell.tab).to_have_title(re.compile("^Logs"))
    assert {"since", "until"} <= set(query_of(shell))


def test_charts_are_split_by_a_dimension(open_page: OpenPage, servers: Servers) -> None:
    shell = open_page("#/dashboard?range=7d", base_url=servers.with_records().base_url)

    shell.main.get_by_label("Split by").select_option("provider")

    expect(shell.main.get_by_role("heading", name="Speed by provider")).to_be_visible()
    for provider in usage(shell, by="provider")["data"][:3]:
        name = provider["group"]["provider"]
        expect(shell.main.locator(".chart-legend").get_by_text(name, exact=True)).to_be_visible()


def test_an_empty_ledger_says_what_to_do(open_page: OpenPage, launch: Launch) -> None:
    shell = open_page("#/dashboard", base_url=launch().base_url)

    expect(shell.main.get_by_role("heading", name="No calls in this range")).to_be_visible()
    expect(shell.main.get_by_role("link", name="Open the playground")).to_be_visible()


def test_the_dashboard_is_accessible(open_page: OpenPage, servers: Servers) -> None:
    base_url = servers.with_records().base_url
    for scheme in ("light", "dark"):
        shell = open_page("#/dashboard?split=model", base_url=base_url, color_scheme=scheme)
        expect(shell.main.get_by_role("region", name="Table by model")).to_be_visible()
        assert_accessible(shell)
