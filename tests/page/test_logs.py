"""The page of the logs: every call, found, followed, opened, compared and taken away."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Locator, Route, expect

from page.accessibility import assert_accessible
from page.conftest import Launch, OpenPage
from page.servers import Servers
from page.shell import Shell
from support.gateway_process import GATE_KEY, Gateway

PIXEL = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def post(gateway: Gateway, path: str, body: Any, **headers: str) -> dict[str, Any]:
    """The reply; of an error, its body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(
        f"{gateway.base_url}{path}",
        json.dumps(body).encode(),
        {"content-type": "application/json", **named},
    )
    with urlopen(request) as reply:
        found: dict[str, Any] = json.load(reply)
        return found


def chat(gateway: Gateway, model: str, prompt: str, **headers: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": prompt}]
    body = {"model": model, "messages": messages, "user": "mira"}
    return post(gateway, "/v1/chat/completions", body, **headers)


def rows(shell: Shell) -> Locator:
    return shell.main.locator(".call-row:not(.is-blank)")


def row_of(shell: Shell, prompt: str) -> Locator:
    return rows(shell).filter(has_text=prompt).first


@pytest.fixture(scope="module")
def gateway(servers: Servers) -> Iterator[Gateway]:
    """With a call of each kind."""
    gateway = servers.launch()
    chat(gateway, "markdown", "Show me Markdown", x_headway_tags="team:docs")
    chat(gateway, "hostile", "Attack me")
    chat(
        gateway,
        "tools",
        "Weather in Paris?",
        x_headway_session="run-1",
        x_headway_tags="agent:main",
    )
    chat(gateway, "quick", "And in Rome?", x_headway_session="run-1", x_headway_tags="agent:main")
    image = {"type": "image_url", "image_url": {"url": f"data:image/gif;base64,{PIXEL}"}}
    content = [{"type": "text", "text": "What is this?"}, image]
    body = {"model": "quick", "messages": [{"role": "user", "content": content}]}
    post(gateway, "/v1/chat/completions", body)
    yield gateway
    gateway.stop()


def test_calls_are_listed_with_the_first_words(open_page: OpenPage, gateway: Gateway) -> None:
    shell = open_page("#/logs", base_url=gateway.base_url)

    expect(rows(shell)).to_have_count(5)
    expect(row_of(shell, "Show me Markdown")).to_contain_text("200")
    expect(shell.main.get_by_text("5 calls")).to_be_visible()
    assert_accessible(shell)


def test_a_call_is_opened_walked_and_closed_by_keyboard(
    open_page: OpenPage, gateway: Gateway
) -> None:
    shell = open_page("#/logs", base_url=gateway.base_url)
    expect(rows(shell)).to_have_count(5)
    shell.main.get_by_role("grid", name="Calls").focus()
    drawer = shell.main.get_by_role("complementary", name="One call")

    shell.tab.keyboard.press("ArrowDown")
    shell.tab.keyboard.press("Enter")
    expect(drawer.get_by_text("What is this?")).to_be_visible()
    expect(drawer.locator("img.message-image")).to_be_visible()
    shell.tab.keyboard.press("ArrowDown")
    expect(drawer.get_by_text("And in Rome?")).to_be_visible()
    address = shell.fragment
    assert address.startswith("/logs/")
    shell.tab.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    assert shell.fragment == "/logs"

    shell.tab.goto(f"{gateway.base_url}/#{address}")
    expect(drawer.get_by_text("And in Rome?")).to_be_visible()


def test_every_part_of_a_call_is_shown(open_page: OpenPage, gateway: Gateway) -> None:
    shell = open_page("#/logs", base_url=gateway.base_url)
    row_of(shell, "Show me Markdown").click()
    drawer = shell.main.get_by_role("complementary", name="One call")

    expect(drawer.get_by_role("heading", name="A heading")).to_be_visible()
    for tab, text in (
        ("Timing", "Waterfall"),
        ("Cost", "The lines add up to the total, to the digit"),
        ("Details", "team:docs"),
        ("Raw", '"outcome"'),
    ):
        drawer.get_by_role("tab", name=tab).click()
        expect(drawer.get_by_text(text).first).to_be_visible()
        assert_accessible(shell)
    assert "tab=raw" in shell.fragment


def test_the_cost_is_that_of_the_ledger_to_the_digit(open_page: OpenPage, gateway: Gateway) -> None:
    with urlopen(f"{gateway.base_url}/api/logs?text=Markdown") as reply:
        call = json.load(reply)["data"][0]
    shell = open_page(f"#/logs/{call['call_id']}?tab=cost", base_url=gateway.base_url)

    exact = call["cost_usd_exact"].rstrip("0")
    expect(shell.main.locator("td.cost-sum")).to_have_text(f"${exact}")


def test_a_hostile_answer_is_text(open_page: OpenPage, gateway: Gateway) -> None:
    shell = open_page("#/logs", base_url=gateway.base_url)
    row_of(shell, "Attack me").click()

    answer = shell.main.locator(".message.is-answer")
    expect(answer).to_contain_text("<script>window.hacked = 1</script>")
    expect(answer.locator("img, iframe, script")).to_have_count(0)
    assert shell.tab.evaluate("() => window.hacked") is None


def test_filters_are_chosen_by_looking_and_stand_in_the_address(
    open_page: OpenPage, gateway: Gateway
) -> None:
    shell = open_page("#/logs", base_url=gateway.base_url)
    expect(rows(shell)).to_have_count(5)

    shell.main.get_by_role("button", name="Add a filter").click()
    expect(shell.main.get_by_role("combobox")).to_be_focused()
    shell.tab.keyboard.type("Tag")
    shell.tab.keyboard.press("Enter")
    expect(shell.main.get_by_role("option", name=re.compile("agent:main 2"))).to_be_visible()
    expect(shell.main.get_by_role("combobox")).to_be_focused()
    shell.tab.keyboard.type("agent")
    shell.tab.keyboard.press("Enter")
    shell.tab.keyboard.press("Escape")

    expect(rows(shell)).to_have_count(2)
    assert "tag=agent%3Amain" in shell.fragment
    shell.tab.reload()
    expect(rows(shell)).to_have_count(2)
    shell.main.get_by_role("button", name="Remove the filter Tag").click()
    expect(rows(shell)).to_have_count(5)


def test_words_and_ranges_filter(open_page: OpenPage, gateway: Gateway) -> None:
    shell = open_page("#/logs", base_url=gateway.base_url)
    expect(rows(shell)).to_have_count(5)

    shell.tab.keyboard.press("/")
    shell.tab.keyboard.type("Paris")
    expect(rows(shell)).to_have_count(1)
    shell.main.get_by_role("searchbox").fill("")
    expect(rows(shell)).to_have_count(5)
    shell.main.get_by_role("button", name="Add a filter").click()
    shell.main.get_by_role("option", name="Latency").click()
    shell.main.get_by_label("At least").fill("100")
    shell.main.get_by_role("button", name="Apply").click()
    expect(shell.main.get_by_role("heading", name="No call matches these filters")).to_be_visible()
    shell.main.get_by_role("button", name="Clear filters").click()
    expect(rows(shell)).to_have_count(5)


def test_a_view_is_kept_by_name(open_page: OpenPage, gateway: Gateway) -> None:
    shell = open_page("#/logs?tag=team%3Adocs", base_url=gateway.base_url)
    expect(rows(shell)).to_have_count(1)
    shell.main.get_by_role("button", name="Views").click()
    shell.main.get_by_label("Name of this view").fill("Documents")
    shell.main.get_by_role("button", name="Save", exact=True).click()

    shell.open("#/logs").tab.reload()
    expect(rows(shell)).to_have_count(5)
    shell.main.get_by_role("button", name="Views").click()
    shell.main.get_by_role("button", name="Documents", exact=True).click()
    expect(rows(shell)).to_have_count(1)


def test_columns_are_hidden_and_stay_hidden(open_page: OpenPage, gateway: Gateway) -> None:
    shell = open_page("#/logs", base_url=gateway.base_url)
    header = shell.main.get_by_role("columnheader", name="Cost")
    expect(header).to_be_visible()
    shell.main.get_by_role("button", name="Columns").click()
    shell.main.get_by_role("checkbox", name="Cost").uncheck()
    expect(header).to_have_count(0)

    shell.tab.reload()
    expect(shell.main.get_by_role("columnheader", name="Model")).to_be_visible()
    expect(header).to_have_count(0)


def test_a_session_is_drawn_above_its_calls(open_page: OpenPage, gateway: Gateway) -> None:
    shell = open_page("#/logs?view=sessions", base_url=gateway.base_url)
    assert_accessible(shell)
    shell.main.get_by_role("link", name="run-1").click()

    summary = shell.main.get_by_role("region", name="Session")
    expect(summary.get_by_role("button")).to_have_count(2)
    expect(rows(shell)).to_have_count(2)
    assert_accessible(shell)
    summary.get_by_role("button").first.click()
    expect(shell.main.get_by_text("Weather in Paris?").first).to_be_visible()


def test_feedback_is_kept(open_page: OpenPage, launch: Launch) -> None:
    gateway = launch()
    chat(gateway, "quick", "Rate me")
    shell = open_page("#/logs", base_url=gateway.base_url)
    row_of(shell, "Rate me").click()
    feedback = shell.main.get_by_role("region", name="Feedback")

    feedback.get_by_role("button", name="Good answer").click()
    expect(feedback.locator(".given")).to_have_count(1)
    feedback.get_by_role("button", name="Say more").click()
    feedback.get_by_label("Label").fill("right")
    feedback.get_by_label("Comment").fill("It is short.")
    feedback.get_by_role("button", name="Keep").click()
    expect(feedback.locator(".given")).to_have_count(2)
    expect(feedback).to_contain_text("It is short.")


def test_a_call_is_replayed_and_the_difference_marked(open_page: OpenPage, launch: Launch) -> None:
    gateway = launch()
    chat(gateway, "quick", "Once more")
    shell = open_page("#/logs", base_url=gateway.base_url)
    row_of(shell, "Once more").click()
    shell.main.get_by_role("link", name="Replay with…").click()

    shell.main.get_by_role("button", name="Model").click()
    expect(shell.main.get_by_role("combobox")).to_be_focused()
    shell.tab.keyboard.type("thinking")
    shell.tab.keyboard.press("Enter")
    shell.tab.keyboard.press("Escape")
    shell.main.get_by_role("button", name="Run", exact=True).click()
    expect(shell.main.locator(".diff ins").first).to_be_visible()
    expect(shell.main.locator(".diff")).to_contain_text("42")
    expect(shell.main.get_by_role("row", name=re.compile("^Latency"))).to_be_visible()
    assert_accessible(shell)


def test_two_answers_are_compared(open_page: OpenPage, gateway: Gateway) -> None:
    shell = open_page("#/logs", base_url=gateway.base_url)
    for prompt in ("Show me Markdown", "And in Rome?"):
        row_of(shell, prompt).hover()
        row_of(shell, prompt).get_by_role("checkbox").check()
    shell.main.get_by_role("link", name="Compare answers").click()

    expect(shell.main.locator(".diff ins").first).to_be_visible()
    expect(shell.main.locator(".diff del").first).to_be_visible()
    assert "/vs/" in shell.fragment


def test_calls_appear_as_they_end_and_wait_while_the_user_reads(
    open_page: OpenPage, launch: Launch
) -> None:
    gateway = launch(records=400)
    shell = open_page("#/logs", base_url=gateway.base_url)
    expect(shell.main.locator(".live-button.is-live")).to_be_visible()
    chat(gateway, "quick", "First of all")
    expect(row_of(shell, "First of all")).to_be_visible()

    table = shell.main.get_by_role("grid", name="Calls")
    table.evaluate("(table) => { table.scrollTop = 2000; }")
    chat(gateway, "quick", "While scrolled")
    waiting = shell.main.get_by_role("button", name="1 new")
    expect(waiting).to_be_visible()
    waiting.click()
    expect(row_of(shell, "While scrolled")).to_be_visible()

    shell.main.get_by_role("button", name="Add a filter").click()
    chat(gateway, "quick", "While filtering")
    expect(waiting).to_be_visible()
    expect(row_of(shell, "While filtering")).to_have_count(0)


def test_memory_is_flat_however_far_one_scrolls(open_page: OpenPage, servers: Servers) -> None:
    shell = open_page("#/logs", base_url=servers.with_records().base_url)
    expect(rows(shell).first).to_be_visible()
    table = shell.main.get_by_role("grid", name="Calls")
    for _ in range(40):
        table.evaluate("(table) => { table.scrollTop = table.scrollHeight; }")
        shell.tab.wait_for_timeout(60)
        if shell.main.get_by_text(re.compile(r"^[\d,]+ calls$")).count():
            break

    expect(shell.main.get_by_text(re.compile(r"^2,\d{3} calls$"))).to_be_visible()
    assert shell.main.locator(".call-row").count() < 80
    table.evaluate("(table) => { table.scrollTop = 0; }")
    expect(rows(shell).first).to_be_visible()


def test_an_export_has_what_is_filtered(open_page: OpenPage, gateway: Gateway) -> None:
    shell = open_page("#/logs?tag=team%3Adocs", base_url=gateway.base_url)
    shell.main.get_by_role("button", name="Export").click()
    with shell.tab.expect_download() as download:
        shell.main.get_by_role("link", name="JSON lines").click()

    assert download.value.path().read_text().count("\n") == 1


def test_an_export_with_a_key_is_saved_too(open_page: OpenPage, servers: Servers) -> None:
    shell = open_page("#/logs", base_url=servers.with_key().base_url)
    shell.allow("status of 401")
    dialog = shell.tab.get_by_role("dialog", name="Gateway key")
    dialog.get_by_label("Key", exact=True).fill(GATE_KEY)
    dialog.get_by_role("button", name="Use this key").click()
    shell.tab.evaluate("() => { delete window.showSaveFilePicker; }")
    shell.main.get_by_role("button", name="Export").click()
    with shell.tab.expect_download() as download:
        shell.main.get_by_role("button", name="CSV").click()

    assert download.value.suggested_filename.endswith(".csv")
    assert GATE_KEY not in shell.tab.url


def test_the_first_visit_shows_how_to_make_a_call(open_page: OpenPage, launch: Launch) -> None:
    shell = open_page("#/logs", base_url=launch().base_url)

    expect(shell.main.get_by_role("heading", name="No calls yet")).to_be_visible()
    expect(shell.main.locator("pre.command")).to_contain_text("curl http")
    assert_accessible(shell)


def test_messages_that_are_not_kept_say_how_to_keep_them(
    open_page: OpenPage, servers: Servers
) -> None:
    shell = open_page("#/logs", base_url=servers.with_records().base_url)
    rows(shell).first.click()

    expect(shell.main.get_by_text("content: full").first).to_be_visible()
    expect(shell.main.get_by_role("link", name="Replay with…")).to_have_attribute(
        "aria-disabled", "true"
    )


def test_an_unavailable_ledger_is_tried_again(open_page: OpenPage, gateway: Gateway) -> None:
    shell = open_page("#/models", base_url=gateway.base_url)
    shell.allow("status of 503")
    error = {"error": {"type": "ledger_unavailable", "message": "The ledger rests."}}

    def refuse(route: Route) -> None:
        route.fulfill(status=503, json=error)

    shell.tab.route("**/api/logs?*", refuse)
    shell.go_to("Logs")
    expect(shell.main.get_by_text("The ledger rests.")).to_be_visible()
    expect(shell.main.get_by_text(re.compile("Trying again in"))).to_be_visible()
    shell.tab.unroute("**/api/logs?*", refuse)
    expect(rows(shell)).to_have_count(5)


def test_a_call_that_is_not_there_is_an_error(open_page: OpenPage, gateway: Gateway) -> None:
    shell = open_page("#/logs/nothing", base_url=gateway.base_url)
    shell.allow("status of 404")

    expect(shell.main.get_by_role("alert")).to_be_visible()
