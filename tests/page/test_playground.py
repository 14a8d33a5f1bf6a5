"""The playground: a conversation, what is measured of it, and what can be set, kept and shared."""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, expect

from page.accessibility import assert_accessible
from page.conftest import Launch, OpenPage
from page.servers import LOCAL, SENTENCES, Servers, route_to
from page.shell import Shell
from support.gateway_process import GATE_KEY, Gateway
from support.waiting import until

FAST = {"text": "word " * 3000, "tokens_per_second": 1000}
MORE = {
    "fast": route_to(FAST),
    "counting": route_to({"text": "one two three four five", "tokens_per_second": 4}),
    "recipe": route_to({"text": '{"name": "Bread", "minutes": 60, "ingredients": ["flour"]}'}),
    "almost": route_to({"text": '{"name": "Bread", "minutes": "long"}'}),
}
DESCRIBED = {
    "providers": {"openai": {"api_key": "sk-test"}, "echo": {}},
    "models": {"quick": route_to({"text": "A short answer."})},
}


@pytest.fixture
def more(servers: Servers) -> Gateway:
    """A server with further scripted models."""
    return servers.start({"models": MORE})


def at(model: str) -> str:
    return f"#/playground?model={quote(model, safe='')}"


def prompt(shell: Shell) -> Locator:
    return shell.main.get_by_label("Prompt", exact=True)


def ask(shell: Shell, text: str) -> None:
    """Type and send, as soon as the model is known."""
    expect(shell.tab.locator("#playground-model")).not_to_contain_text("Choose")
    prompt(shell).fill(text)
    prompt(shell).press("Enter")


def answers(shell: Shell) -> Locator:
    return shell.main.get_by_role("article", name=re.compile("^Answer of"))


def finished(shell: Shell, count: int = 1) -> Locator:
    """The last of so many answers, when it is complete."""
    expect(answers(shell)).to_have_count(count)
    answer = answers(shell).last
    expect(answer).to_have_attribute("aria-busy", "false")
    return answer


def figure(answer: Locator, name: str) -> str:
    shown = answer.locator(".metric", has_text=re.compile(f"^{name}")).locator("dd")
    return shown.inner_text().strip()


def record(server: Gateway, answer: Locator) -> dict[str, Any]:
    """What the ledger has of an answer."""
    address = answer.get_by_role("link", name="Record").get_attribute("href") or ""
    path = f"/api/logs/{address.split('/')[-1]}"
    until(lambda: server.client.call("GET", path).status == 200)
    detail: dict[str, Any] = server.client.call("GET", path).json
    return detail


def set_json(shell: Shell, section: str, label: str, value: Any) -> None:
    if not shell.main.get_by_label(label).count():
        shell.main.get_by_role("button", name=section, exact=True).click()
    text = value if isinstance(value, str) else json.dumps(value)
    shell.main.get_by_label(label).fill(text)


def requests_of(shell: Shell) -> list[dict[str, Any]]:
    """The bodies of the comparisons that the page asks for from here on."""
    bodies: list[dict[str, Any]] = []
    shell.tab.on(
        "request",
        lambda request: (
            bodies.append(request.post_data_json) if request.url.endswith("/api/compare") else None
        ),
    )
    return bodies


# --- Answers --------------------------------------------------------------------------------------


def test_the_local_model_answers_on_the_first_visit(open_page: OpenPage) -> None:
    shell = open_page()

    expect(shell.main).to_contain_text("Ask a model anything")
    shell.main.get_by_role("button", name="Explain").click()

    expect(answers(shell).last).to_have_attribute("aria-busy", "false", timeout=60_000)
    expect(answers(shell).last).to_contain_text(LOCAL)
    expect(answers(shell).last.locator(".markdown")).not_to_be_empty()


def test_the_first_visit_says_how_a_key_is_added(open_page: OpenPage, servers: Servers) -> None:
    shell = open_page(base_url=servers.start({"models": {}}).base_url)

    expect(shell.main.locator(".key-help")).to_contain_text("OPENAI_API_KEY")
    expect(shell.main.locator(".key-help p")).to_have_count(2)


def test_an_answer_is_seen_while_it_arrives(open_page: OpenPage) -> None:
    shell = open_page(at("steady"))
    ask(shell, "Go")

    text = answers(shell).locator(".markdown")
    expect(text).to_contain_text("The quick")
    early = len(text.inner_text())
    expect(answers(shell).locator("canvas")).to_be_visible()
    assert early < len(SENTENCES) / 2
    expect(finished(shell).locator(".markdown")).to_contain_text(SENTENCES.strip())


def test_the_figures_are_those_of_the_ledger(open_page: OpenPage, server: Gateway) -> None:
    shell = open_page(at("thinking"))
    ask(shell, "What is it?")
    answer = finished(shell)

    call = record(server, answer)
    tokens = f"{call['input_tokens']} / {call['output_tokens']}"
    assert figure(answer, "Tokens") == tokens
    assert figure(answer, "Speed") == f"{call['tokens_per_second']:.1f} tok/s"
    answer.get_by_title("The lines of the bill").click()
    expect(answer.get_by_role("row", name="Total")).to_contain_text(f"${call['cost_usd_exact']}")


def test_reasoning_is_open_while_the_model_thinks_and_folded_after(open_page: OpenPage) -> None:
    shell = open_page(at("thinking"))
    ask(shell, "Think")
    expect(finished(shell).locator(".markdown")).to_have_text("So: 42.")

    thought = shell.main.get_by_role("button", name=re.compile("^Thought for"))
    expect(thought).to_have_attribute("aria-expanded", "false")
    thought.click()
    expect(shell.main.get_by_role("region", name="Reasoning")).to_have_text(
        "First this, then that."
    )


def test_a_stopped_answer_keeps_what_has_arrived(open_page: OpenPage) -> None:
    shell = open_page(at("slow"))
    ask(shell, "Go")
    expect(answers(shell).locator(".markdown")).to_contain_text("quick")

    shell.tab.keyboard.press("Escape")

    answer = finished(shell)
    expect(answer).to_contain_text("Stopped.")
    expect(answer.locator(".markdown")).to_contain_text("The quick")
    expect(answer.get_by_role("link", name="Record")).to_be_visible()


def test_a_silence_is_told_while_it_lasts(open_page: OpenPage) -> None:
    shell = open_page(at("stalls"))
    ask(shell, "Go")

    expect(answers(shell)).to_contain_text(re.compile("silent for 1"))
    expect(finished(shell).get_by_role("alert")).to_be_visible()


def test_an_error_stands_where_it_happened_and_can_be_tried_again(open_page: OpenPage) -> None:
    shell = open_page(at("breaks"))
    ask(shell, "Go")

    alert = finished(shell).get_by_role("alert")
    expect(alert).to_contain_text("the connection broke")
    expect(alert).to_contain_text("What had arrived until then is kept")
    alert.get_by_role("button", name="Try again").click()
    expect(shell.main.get_by_text("2/2")).to_be_visible()


def test_an_answer_of_which_nothing_arrived_is_replaced(open_page: OpenPage) -> None:
    shell = open_page(at("limited"))
    ask(shell, "Go")

    alert = finished(shell).get_by_role("alert")
    expect(alert).to_contain_text("too many requests")
    alert.get_by_role("button", name="Try again").click()
    expect(finished(shell).get_by_role("alert")).to_be_visible()
    expect(shell.main.get_by_text("2/2")).to_have_count(0)


def test_a_gateway_that_goes_away_leaves_what_arrived(open_page: OpenPage, launch: Launch) -> None:
    gateway = launch({"models": MORE})
    shell = open_page(at("counting"), base_url=gateway.base_url)
    shell.allow("ERR_|Failed to load")
    ask(shell, "Count")
    expect(answers(shell).locator(".markdown")).to_contain_text("two")

    gateway.kill()

    answer = finished(shell)
    expect(answer.locator(".markdown")).to_contain_text("one two")
    expect(answer.get_by_role("alert")).to_contain_text("connection to the gateway broke")


def test_hostile_output_is_text(open_page: OpenPage) -> None:
    shell = open_page(at("hostile"))
    ask(shell, "Attack")
    answer = finished(shell)

    expect(answer).to_contain_text("<script>window.hacked = 1</script>")
    assert shell.tab.evaluate("() => window.hacked") is None
    assert answer.locator("img, iframe, script, [style*=fixed]").count() == 0
    links = answer.locator(".markdown a").evaluate_all("(all) => all.map((a) => a.href)")
    assert all(link.startswith("https://") for link in links)


def test_markdown_code_and_mathematics_are_drawn(open_page: OpenPage) -> None:
    shell = open_page(at("markdown"))
    ask(shell, "Write")
    answer = finished(shell)

    expect(answer.get_by_role("heading", name="A heading")).to_be_visible()
    expect(answer.locator(".code-block .shj-syn-kwd").first).to_have_text("def")
    expect(answer.locator(".katex math")).to_have_count(1)
    expect(answer.get_by_role("cell", name="12")).to_be_visible()
    assert_accessible(shell)


def test_a_thousand_events_a_second_are_all_drawn(open_page: OpenPage, more: Gateway) -> None:
    shell = open_page(at("fast"), base_url=more.base_url)
    ask(shell, "Go")
    answer = finished(shell)

    assert len(answer.locator(".markdown").inner_text().split()) == 3000
    assert record(more, answer)["output_tokens"] == 3000


def test_the_view_follows_until_the_user_scrolls_up(open_page: OpenPage, more: Gateway) -> None:
    shell = open_page(at("fast"), base_url=more.base_url)
    messages = shell.main.get_by_role("region", name="Messages")
    ask(shell, "Go")
    expect(answers(shell).locator(".markdown")).to_contain_text("word " * 600)
    distance = "(node) => node.scrollHeight - node.clientHeight - node.scrollTop"
    assert messages.evaluate(distance) < 200

    messages.hover()
    shell.tab.mouse.wheel(0, -400)

    expect(shell.main.get_by_role("button", name="Jump to the end")).to_be_visible()
    finished(shell)
    assert messages.evaluate(distance) > 200
    shell.main.get_by_role("button", name="Jump to the end").click()
    assert messages.evaluate(distance) < 48


# --- The tree -------------------------------------------------------------------------------------


def test_an_edited_prompt_is_a_branch(open_page: OpenPage) -> None:
    shell = open_page(at("echo/echo"))
    ask(shell, "first words")
    expect(finished(shell).locator(".markdown")).to_have_text("first words")

    shell.main.get_by_role("button", name="Edit and send again").click()
    shell.main.get_by_label("Message", exact=True).fill("other words")
    shell.main.get_by_label("Message", exact=True).press("Enter")

    expect(finished(shell).locator(".markdown")).to_have_text("other words")
    shell.main.get_by_role("button", name="Previous alternative").click()
    expect(answers(shell).locator(".markdown")).to_have_text("first words")
    shell.main.get_by_role("button", name="Next alternative").press("Enter")
    expect(answers(shell).locator(".markdown")).to_have_text("other words")


def test_another_model_answers_the_same_prompt(open_page: OpenPage) -> None:
    shell = open_page(at("quick"))
    ask(shell, "Go")
    finished(shell)

    shell.main.get_by_role("button", name="Answer with another model").click()
    shell.tab.get_by_placeholder("Search models").fill("thinking")
    shell.tab.keyboard.press("Enter")

    expect(finished(shell).locator(".markdown")).to_have_text("So: 42.")
    expect(shell.main.get_by_text("2/2")).to_be_visible()
    expect(shell.tab.locator("#playground-model")).to_contain_text("quick")


def test_a_deleted_turn_comes_back(open_page: OpenPage) -> None:
    shell = open_page(at("quick"))
    ask(shell, "Go")
    finished(shell)

    shell.main.get_by_role("button", name="Delete from here").first.click()
    expect(answers(shell)).to_have_count(0)
    shell.tab.get_by_role("button", name="Undo").click()
    expect(finished(shell).locator(".markdown")).to_have_text("A short answer.")


def test_a_new_conversation_begins_by_a_shortcut(open_page: OpenPage) -> None:
    shell = open_page(at("quick"))
    ask(shell, "Go")
    finished(shell)

    shell.tab.keyboard.press("Alt+n")

    expect(answers(shell)).to_have_count(0)
    expect(prompt(shell)).to_be_focused()
    ask(shell, "Again")
    finished(shell)


def test_a_tool_call_is_answered_and_the_conversation_goes_on(open_page: OpenPage) -> None:
    shell = open_page(at("tools"))
    bodies = requests_of(shell)
    ask(shell, "What is the weather?")
    answer = finished(shell)
    expect(answer.get_by_role("region", name="Arguments")).to_contain_text('"city": "Paris"')

    answer.get_by_label("Result").fill('{"sky": "clear"}')
    answer.get_by_role("button", name="Continue with this result").click()

    finished(shell, 2)
    called, result = bodies[-1]["messages"][-2:]
    assert called["tool_calls"][0]["function"]["name"] == "weather"
    assert result == {
        "role": "tool",
        "tool_call_id": called["tool_calls"][0]["id"],
        "content": '{"sky": "clear"}',
    }


def test_an_answer_is_rated(open_page: OpenPage, server: Gateway) -> None:
    shell = open_page(at("quick"))
    ask(shell, "Go")
    answer = finished(shell)

    with shell.tab.expect_response("**/api/feedback"):
        answer.get_by_role("button", name="Good answer").click()

    expect(answer.get_by_role("button", name="Good answer")).to_have_attribute(
        "aria-pressed", "true"
    )
    until(lambda: [each["score"] for each in record(server, answer).get("feedback", ())] == [1.0])


# --- Settings -------------------------------------------------------------------------------------


def test_only_what_is_set_is_sent(open_page: OpenPage) -> None:
    shell = open_page(at("quick"))
    bodies = requests_of(shell)
    shell.main.get_by_label("System prompt").fill("Be brief.")
    shell.main.get_by_label("Temperature", exact=True).fill("0.4")
    shell.main.get_by_label("Stop at").fill("END\nSTOP")
    set_json(shell, "Other fields", "Fields of the request as JSON", {"user": "me"})
    ask(shell, "Go")
    finished(shell)

    assert bodies == [
        {
            "models": ["quick"],
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Go"},
            ],
            "temperature": 0.4,
            "stop": ["END", "STOP"],
            "user": "me",
        }
    ]


def test_the_form_is_the_models_own(open_page: OpenPage, servers: Servers) -> None:
    shell = open_page(at("openai/o3"), base_url=servers.start(DESCRIBED).base_url)
    settings = shell.main.get_by_role("region", name="Parameters")

    expect(settings.locator(".refused", has_text="Temperature")).to_contain_text("refuses it")
    settings.get_by_label("Maximum tokens", exact=True).fill("200000")
    prompt(shell).fill("Go")
    expect(settings.get_by_role("alert")).to_have_text("At most 100000.")
    expect(shell.main.get_by_role("button", name="Send")).to_be_disabled()
    settings.get_by_label("Maximum tokens", exact=True).fill("500")
    expect(shell.main.get_by_role("button", name="Send")).to_be_enabled()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[{"type": "function"', "Not JSON: "),
        ('[{"type": "function"}]', "Tool 1 has no `function`."),
        ('[{"function": {"name": "a b"}}]', "Tool 1 has a name that is not of letters"),
    ],
)
def test_tools_are_checked_as_they_are_typed(open_page: OpenPage, text: str, problem: str) -> None:
    shell = open_page(at("quick"))
    set_json(shell, "Tools", "Tools as JSON", text)

    expect(shell.main.get_by_role("alert")).to_contain_text(problem)
    prompt(shell).fill("Go")
    expect(shell.main.get_by_role("button", name="Send")).to_be_disabled()


def test_an_answer_is_held_to_its_schema(open_page: OpenPage, more: Gateway) -> None:
    shell = open_page(at("recipe"), base_url=more.base_url)
    shell.main.get_by_role("button", name="Answer as JSON").click()
    shell.main.get_by_role("button", name="Example").click()
    ask(shell, "Bread")
    expect(finished(shell)).to_contain_text("Valid for the schema")

    shell.main.get_by_role("button", name="Answer with another model").click()
    shell.tab.get_by_placeholder("Search models").fill("almost")
    shell.tab.keyboard.press("Enter")

    answer = finished(shell)
    expect(answer).to_contain_text("`ingredients` is missing")
    expect(answer).to_contain_text("`minutes` is string, not integer")


def png(width: int, height: int) -> bytes:
    """A picture of one colour."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checked = name + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" + b"\x80" * width) * height
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def attach(shell: Shell, data: bytes) -> None:
    file: Mapping[str, Any] = {"name": "a.png", "mimeType": "image/png", "buffer": data}
    shell.main.locator("input[type=file]").set_input_files(dict(file))  # type: ignore[arg-type]


def test_pictures_are_sent_and_large_ones_made_smaller(open_page: OpenPage) -> None:
    shell = open_page(at("echo/echo"))
    bodies = requests_of(shell)
    attach(shell, png(8, 8))
    attach(shell, png(4000, 1000))
    expect(shell.main.locator(".thumbnails img")).to_have_count(2)
    expect(shell.tab.get_by_role("status").last).to_contain_text("at most 2048 pixels")
    shell.main.get_by_role("button", name="Remove picture 1").click()
    ask(shell, "Look")
    finished(shell)

    text, image = bodies[0]["messages"][0]["content"]
    assert text == {"type": "text", "text": "Look"}
    data = base64.b64decode(image["image_url"]["url"].partition(",")[2])
    assert struct.unpack(">II", data[16:24]) == (2048, 512)


def test_a_model_without_eyes_is_told(open_page: OpenPage) -> None:
    shell = open_page(at(LOCAL))
    attach(shell, png(8, 8))

    expect(shell.main).to_contain_text("This model takes no pictures.")


# --- Links, other pages ---------------------------------------------------------------------------


def test_a_link_reproduces_the_conversation(open_page: OpenPage) -> None:
    shell = open_page(at("quick"))
    shell.main.get_by_label("System prompt").fill("Be brief.")
    ask(shell, "Go")
    finished(shell)
    shell.tab.wait_for_function("() => location.hash.includes('s=')")
    shell.tab.wait_for_timeout(800)

    other = open_page(f"#{shell.fragment}")

    expect(finished(other).locator(".markdown")).to_have_text("A short answer.")
    expect(other.main.get_by_label("System prompt")).to_have_value("Be brief.")
    assert figure(answers(other), "Tokens") == figure(answers(shell), "Tokens")


def test_a_reload_keeps_all(open_page: OpenPage) -> None:
    shell = open_page(at("steady"))
    attach(shell, png(64, 64))
    ask(shell, "Go")
    finished(shell)
    shell.tab.reload()

    answer = finished(shell)
    expect(answer.locator(".markdown")).to_contain_text(SENTENCES.strip())
    expect(answer.locator("canvas")).to_be_visible()
    expect(shell.main.locator(".thumbnails img")).to_have_count(1)


def test_a_damaged_link_says_so(open_page: OpenPage) -> None:
    shell = open_page("#/playground?s=AAAA")

    expect(shell.main.get_by_role("alert")).to_contain_text("This link is damaged")


def test_a_recorded_call_is_replayed(open_page: OpenPage, server: Gateway) -> None:
    body = {
        "model": "quick",
        "temperature": 0.3,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "An old question"},
        ],
    }
    reply = server.client.call("POST", "/v1/chat/completions", body)
    record_id = reply.headers["x-request-id"]
    until(lambda: server.client.call("GET", f"/api/logs/{record_id}").status == 200)

    shell = open_page(f"#/playground?replay={record_id}")

    expect(finished(shell).locator(".markdown")).to_have_text("A short answer.")
    expect(shell.main).to_contain_text("An old question")
    expect(shell.main.get_by_label("System prompt")).to_have_value("Be brief.")
    expect(shell.main.get_by_label("Temperature", exact=True)).to_have_value("0.3")


def test_the_conversation_is_carried_to_the_comparison(open_page: OpenPage) -> None:
    shell = open_page(at("quick"))
    ask(shell, "The question")
    finished(shell)

    shell.main.get_by_role("button", name="Compare").click()

    expect(shell.tab).to_have_title(re.compile("^Compare"))
    expect(shell.main).to_contain_text("quick")
    expect(prompt(shell)).to_have_value("The question")


def snippets(shell: Shell) -> Iterator[tuple[str, str]]:
    dialog = shell.tab.get_by_role("dialog")
    for name in ("curl", "Python (openai)", "Python (headway)", "JavaScript (openai)"):
        dialog.get_by_role("radio", name=name).click()
        yield name, dialog.get_by_role("region", name="Code").inner_text()


def test_the_request_is_code_without_a_key(open_page: OpenPage, servers: Servers) -> None:
    gateway = servers.with_key()
    shell = open_page(at("echo/echo"), base_url=gateway.base_url)
    shell.allow("401")
    key = shell.tab.get_by_role("dialog", name="Gateway key")
    key.get_by_label("Key").fill(GATE_KEY)
    key.get_by_role("button", name="Use this key").click()
    prompt(shell).fill('It\'s "quoted"')
    shell.main.get_by_role("button", name="Code", exact=True).click()

    for _, code in snippets(shell):
        assert "HEADWAY_API_KEY" in code
        assert GATE_KEY not in code
        assert gateway.base_url in code
    assert_accessible(shell)


# --- By keyboard, for everybody -------------------------------------------------------------------


def test_the_keyboard_is_enough(open_page: OpenPage) -> None:
    shell = open_page("#/playground")
    expect(prompt(shell)).to_be_focused()

    shell.tab.keyboard.press("Alt+m")
    expect(shell.tab.get_by_role("combobox")).to_be_focused()
    shell.tab.keyboard.type("thinking")
    shell.tab.keyboard.press("Enter")
    expect(prompt(shell)).to_be_focused()
    shell.tab.keyboard.type("One")
    shell.tab.keyboard.press("Shift+Enter")
    shell.tab.keyboard.type("two")
    shell.tab.keyboard.press("Enter")

    finished(shell)
    expect(shell.main.get_by_role("article", name="Your message")).to_contain_text("One\ntwo")
    expect(prompt(shell)).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page: OpenPage, scheme: str) -> None:
    shell = open_page(at("tools"), color_scheme=scheme)
    assert_accessible(shell)
    ask(shell, "Go")
    finished(shell)
    for section in ("Tools", "Answer as JSON", "Other fields"):
        shell.main.get_by_role("button", name=section, exact=True).click()
    assert_accessible(shell)


def test_a_phone_has_the_settings_in_a_drawer(open_page: OpenPage) -> None:
    shell = open_page(at("quick"), viewport={"width": 390, "height": 844})
    ask(shell, "Go")
    finished(shell)
    assert shell.tab.evaluate("() => document.documentElement.scrollWidth") <= 390

    shell.main.get_by_role("button", name="Settings").click()
    drawer = shell.tab.get_by_role("dialog", name="Settings")
    drawer.get_by_label("System prompt").fill("Be brief.")
    assert_accessible(shell)
    shell.tab.keyboard.press("Escape")

    expect(drawer).to_have_count(0)
    expect(shell.main.get_by_role("button", name="system prompt")).to_be_visible()
