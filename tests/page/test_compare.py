"""The page Compare: several models answer one prompt, side by side."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import Download, Locator, expect

from page.accessibility import assert_accessible
from page.comparisons import QUESTION, answers, button, compare, lane, lanes, link, record_id, start
from page.conftest import Launch, OpenPage
from page.servers import LOCAL
from page.shell import Shell
from support.gateway_process import Gateway
from support.waiting import until

CLIPBOARD = ["clipboard-read", "clipboard-write"]
PROMPTS = "What is gravity?\nName three rivers.\nWhat is 17 times 23?"


def cell(shell: Shell, model: str, column: int) -> Locator:
    row = shell.main.get_by_role("row").filter(has=shell.tab.get_by_role("rowheader", name=model))
    return row.get_by_role("cell").nth(column)


def fetch(server: Gateway, path: str) -> Any:
    return server.client.get(path).json


def call_module(shell: Shell, module: str, function: str, *values: Any) -> Any:
    return shell.tab.evaluate(
        """async ([module, name, values]) => {
             const main = document.querySelector("script[type=module]").src;
             return (await import(new URL(`compare/${module}`, main).href))[name](...values);
           }""",
        [module, function, values],
    )


def choose(shell: Shell, entry: str) -> None:
    button(shell, "Share").click()
    button(shell, entry).click()


def download(shell: Shell, entry: str) -> Download:
    with shell.tab.expect_download() as found:
        choose(shell, entry)
    return found.value


# --- The main path --------------------------------------------------------------------------------


def test_a_stranger_compares_three_models_with_one_click(open_page: OpenPage) -> None:
    shell = open_page("#/compare")
    expect(shell.main.locator(".lane-chip")).to_have_count(3)
    shell.main.get_by_role("button", name="Explain").click()

    expect(lanes(shell)).to_have_count(3)
    expect(lane(shell, LOCAL).locator(".markdown")).not_to_be_empty()
    expect(lane(shell, f"{LOCAL} (temperature 0)").locator(".markdown")).not_to_be_empty()
    expect(lane(shell, "echo/echo").locator(".markdown")).to_contain_text("bicycle")


def test_four_answers_arrive_side_by_side_as_they_are_said(open_page: OpenPage) -> None:
    shell = open_page(link("quick", "steady", "slow", "thinking"))
    start(shell)

    slow = lane(shell, "slow")
    expect(slow.locator(".markdown")).to_have_text(re.compile("^The quick"))
    first = slow.locator(".markdown").inner_text()
    expect(lane(shell, "quick")).to_have_attribute("data-status", "done")
    expect(lane(shell, "steady")).to_have_attribute("data-status", "streaming")
    expect(slow.locator(".lane-figures")).to_contain_text("≈")
    until(lambda: len(slow.locator(".markdown").inner_text()) > len(first) + 20)
    expect(cell(shell, "slow", 0)).to_contain_text("≈")
    expect(cell(shell, "quick", 0)).not_to_contain_text("≈")
    expect(lane(shell, "thinking").get_by_text("Reasoning")).to_be_visible()
    expect(shell.main.locator(".run-bar")).to_contain_text("of 4 answers")


def test_a_stop_watch_runs_until_the_first_token(open_page: OpenPage) -> None:
    script = {"text": "Late.", "first_token": 1.6}
    shell = open_page(link({"model": "echo/echo", "echo": script}))
    start(shell)

    first = lanes(shell).locator("dd").first
    expect(first).to_have_text(re.compile(r"^[01]\.\d s$"))
    seen = first.inner_text()
    expect(first).not_to_have_text(seen)
    expect(first).to_have_text(re.compile(r"^1\.\d\d s$"))


def test_what_is_shown_is_what_the_ledger_has(open_page: OpenPage, server: Gateway) -> None:
    shell = compare(open_page(link("quick", "echo/echo")))
    answers(shell, 2)

    for model in ("quick", "echo/echo"):
        path = f"/api/logs/{record_id(shell, model)}"
        call = until(partial(fetch, server, path))
        shown = [
            "time_to_first_token_s",
            "inter_token_latency_p50_s",
            "inter_token_latency_p95_s",
            "tokens_per_second",
            "latency_s",
            "input_tokens",
            "output_tokens",
            "cost_usd",
        ]
        for column, name in enumerate(shown):
            title = cell(shell, model.rpartition("/")[2], column).get_attribute("title")
            assert float(str(title)) == call[name], name
        cost = lane(shell, model).locator("dd").nth(2).get_attribute("title")
        assert cost == f"{call['cost_usd_exact']} US dollars"


def test_the_table_is_sorted_and_marks_the_best(open_page: OpenPage) -> None:
    shell = compare(open_page(link("steady", "quick", "thinking")))
    answers(shell, 3)
    header = shell.main.get_by_role("columnheader", name="Latency")
    names = shell.main.locator(".results-table").get_by_role("rowheader")

    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    expect(names.first).to_have_text("quick")
    header.get_by_role("button").click()
    expect(names.first).to_have_text("steady")
    header.get_by_role("button").click()
    expect(names).to_have_text(["steady", "quick", "thinking"])
    expect(cell(shell, "quick", 4)).to_contain_text("best:")
    expect(cell(shell, "steady", 4)).not_to_contain_text("best:")


def test_several_runs_have_a_median_and_a_spread(open_page: OpenPage) -> None:
    shell = compare(open_page(link("quick", runs=3)))
    answers(shell, 3)

    expect(cell(shell, "quick", 4)).to_have_attribute("title", re.compile("^Median .* of .*, .*, "))
    expect(cell(shell, "quick", 4).locator("circle")).to_have_count(3)
    button(shell, re.compile("^Run 2: Complete")).click()
    expect(button(shell, re.compile("^Run 2"))).to_have_attribute("aria-pressed", "true")
    expect(lane(shell, "quick").locator(".markdown")).to_have_text("A short answer.")


def test_the_race_is_read_by_pointing_and_by_keys(open_page: OpenPage) -> None:
    shell = compare(open_page(link("quick", "thinking")))
    race = shell.main.get_by_role("img", name=re.compile("^Race"))

    expect(race).to_have_attribute("aria-label", re.compile("quick: first after .* 3 tokens after"))
    race.hover()
    reading = shell.main.locator(".race-reading")
    expect(reading).to_contain_text("thinking")
    race.focus()
    race.press("Escape")
    expect(reading).to_be_hidden()
    race.press("ArrowRight")
    expect(reading).to_be_visible()


def test_an_answer_has_a_price_while_it_arrives(open_page: OpenPage) -> None:
    script = {"text": "word " * 60, "tokens_per_second": 30}
    shell = open_page(link({"model": "echo/echo", "echo": script}))
    start(shell)

    cost = lanes(shell).locator("dd").nth(2)
    expect(cost).to_have_text(re.compile(r"^≈ \$0\.0000\d+$"))
    expect(cost).to_have_text(re.compile(r"^\$0\.00009\d*$"))


# --- What is asked --------------------------------------------------------------------------------


def test_a_link_reproduces_the_experiment(open_page: OpenPage) -> None:
    shell = open_page("#/compare")
    main = shell.main
    expect(main.locator(".lane-chip")).to_have_count(3)
    button(shell, "Take all models away").click()
    button(shell, "Add models").click()
    search = shell.tab.get_by_role("combobox", name="Add models")
    for name in ("quick", "steady"):
        search.fill(name)
        search.press("Enter")
    search.press("Escape")
    main.get_by_role("textbox", name="Prompt", exact=True).fill("Hello there")
    button(shell, "System prompt").click()
    main.get_by_role("textbox", name="System prompt").fill("Be brief.")
    main.get_by_label("Temperature").fill("0.5")
    main.get_by_label("Runs").fill("2")
    main.get_by_label("Blind").check()
    shell.tab.wait_for_function("() => location.hash.includes('s=')")
    shell.tab.wait_for_timeout(400)

    other = open_page("#" + shell.fragment)
    expect(other.main.locator(".lane-chip-name")).to_have_text(["quick", "steady"])
    expect(other.main.get_by_role("textbox", name="Prompt", exact=True)).to_have_value(
        "Hello there"
    )
    expect(other.main.get_by_role("textbox", name="System prompt")).to_have_value("Be brief.")
    expect(other.main.get_by_label("Temperature")).to_have_value("0.5")
    expect(other.main.get_by_label("Runs")).to_have_value("2")
    expect(other.main.get_by_label("Blind")).to_be_checked()


def test_a_model_has_parameters_of_its_own(open_page: OpenPage) -> None:
    script = {"text": "Scripted.", "tokens_per_second": 100}
    shell = open_page(link("echo/echo", "echo/echo"))
    shell.main.locator(".lane-chip-name").nth(1).click()
    shell.main.get_by_label("Further parameters, JSON").fill(json.dumps({"echo": script}))
    shell.tab.keyboard.press("Escape")
    shell.main.get_by_role("textbox", name="Prompt", exact=True).focus()
    compare(shell)

    expect(lane(shell, "echo/echo").locator(".markdown")).to_have_text(QUESTION)
    expect(lanes(shell).nth(1).locator(".markdown")).to_have_text("Scripted.")


def test_it_works_by_the_keyboard_and_escape_stops(open_page: OpenPage) -> None:
    shell = open_page(link("slow", "steady", prompt=""))
    expect(shell.main.get_by_role("textbox", name="Prompt", exact=True)).to_be_focused()
    keyboard = shell.tab.keyboard
    keyboard.type("Say something long")
    keyboard.press("Enter")
    expect(lane(shell, "slow").locator(".markdown")).to_have_text(re.compile("^The quick"))
    keyboard.press("Escape")

    expect(lane(shell, "slow")).to_have_attribute("data-status", "stopped")
    expect(lane(shell, "slow").locator(".markdown")).to_have_text(re.compile("^The quick"))
    keyboard.press("Alt+n")
    expect(shell.main.get_by_role("textbox", name="Prompt", exact=True)).to_have_value("")
    expect(lanes(shell)).to_have_count(0)
    keyboard.press("Alt+m")
    expect(shell.tab.get_by_role("combobox", name="Add models")).to_be_focused()


# --- Faults ---------------------------------------------------------------------------------------


def test_one_lane_that_fails_leaves_the_others_alone(open_page: OpenPage) -> None:
    shell = compare(open_page(link("quick", "fails", "breaks")))
    expect(lane(shell, "quick")).to_have_attribute("data-status", "done")
    expect(lane(shell, "fails").get_by_role("alert")).to_contain_text("the provider failed")
    broken = lane(shell, "breaks")
    expect(broken.get_by_role("alert")).to_contain_text("the connection broke")
    expect(broken.locator(".markdown")).to_have_text(re.compile("^The quick"))

    broken.get_by_role("button", name="Retry").click()
    expect(broken).to_have_attribute("data-status", "streaming")
    expect(broken).to_have_attribute("data-status", "failed")
    expect(lane(shell, "quick").locator(".markdown")).to_have_text("A short answer.")
    expect(button(shell, "Ask the 2 without an answer again")).to_be_visible()


def test_a_connection_that_breaks_leaves_what_arrived(open_page: OpenPage, launch: Launch) -> None:
    gateway = launch()
    shell = open_page(link("slow", "quick"), base_url=gateway.base_url)
    shell.allow("ERR_|Failed to load|network")
    start(shell)
    expect(lane(shell, "quick")).to_have_attribute("data-status", "done")
    expect(lane(shell, "slow").locator(".markdown")).to_have_text(re.compile("^The quick"))
    gateway.kill()

    expect(lane(shell, "slow")).to_have_attribute("data-status", "failed")
    expect(lane(shell, "slow").locator(".markdown")).to_have_text(re.compile("^The quick"))
    expect(lane(shell, "quick")).to_have_attribute("data-status", "done")
    expect(shell.main.get_by_role("alert").first).to_contain_text("cannot be reached")


def test_hostile_answers_are_text(open_page: OpenPage) -> None:
    shell = compare(open_page(link("hostile", "markdown")))
    answers(shell, 2)

    assert shell.tab.evaluate("() => window.hacked") is None
    expect(lane(shell, "hostile").locator("img, iframe, script")).to_have_count(0)
    expect(lane(shell, "markdown").locator("table")).to_be_visible()


# --- Blind votes ----------------------------------------------------------------------------------


def test_names_appear_when_a_blind_vote_is_cast(open_page: OpenPage, server: Gateway) -> None:
    shell = compare(open_page(link("quick", "thinking", "markdown", blind=True)))
    results = shell.main.get_by_role("region", name="Answers", exact=True)
    for name in ("quick", "thinking", "markdown"):
        assert name not in results.inner_html().replace('class="markdown"', "")
    expect(shell.main.locator(".results-table, .race-canvas")).to_have_count(0)
    assert_accessible(shell)

    button(shell, re.compile("^B$")).click()
    expect(lane(shell, "quick")).to_be_visible()
    expect(shell.main.locator(".results-table")).to_be_visible()
    votes = json.loads(shell.tab.evaluate("() => localStorage['headway.compare.votes']"))
    assert [vote["kind"] for vote in votes] == ["best"]
    assert set(votes[0]["models"]) == {"quick", "thinking", "markdown"}
    winner = votes[0]["winner"]
    path = f"/api/logs/{record_id(shell, winner)}"
    given = until(lambda: fetch(server, path).get("feedback"))
    assert [(each["score"], each["label"]) for each in given] == [(1, "blind-vote")]

    button(shell, "Ranking 1").click()
    dialog = shell.tab.get_by_role("dialog", name="Ranking by blind votes")
    expect(dialog.get_by_role("rowheader").first).to_have_text(winner)
    assert_accessible(shell)


def vote(winner: str | None, *models: str) -> dict[str, Any]:
    return {"models": models, "winner": winner, "kind": "best" if winner else "tie", "time": ""}


def test_the_ranking_is_the_most_likely_one(open_page: OpenPage) -> None:
    shell = open_page("#/compare")

    def rank(votes: Sequence[Any], **options: Any) -> dict[str, Any]:
        found = call_module(shell, "ranking.js", "rankModels", votes, options)
        return {each["model"]: each for each in found}

    three_to_one = [*[vote("a", "a", "b")] * 3, vote("b", "a", "b")]
    found = rank(three_to_one, prior=0)
    points = 400 / 2.302585092994046
    assert abs(found["a"]["rating"] - found["b"]["rating"] - points * 1.0986122886681098) < 1e-6
    # The odds' logarithm has the standard error sqrt(1 / (4 * 0.75 * 0.25)); each model has half.
    half = (4 / 3) ** 0.5 / 2
    assert abs(found["a"]["high"] - found["a"]["rating"] - 1.96 * points * half) < 1e-6
    assert (found["a"]["wins"], found["a"]["votes"]) == (3, 4)

    # Three models, shown together: chances are as the shares of votes, 3 : 2 : 1.
    shown = ("a", "b", "c")
    found = rank([vote(name, *shown) for name in "aaabbc"], prior=0)
    assert abs(found["a"]["rating"] - found["c"]["rating"] - points * 1.0986122886681098) < 1e-6
    assert abs(found["b"]["rating"] - found["c"]["rating"] - points * 0.6931471805599453) < 1e-6

    found = rank([vote(None, "a", "b")] * 4)
    assert found["a"]["rating"] == found["b"]["rating"] == 1000
    assert found["a"]["ties"] == 4
    few, many = rank(three_to_one), rank(three_to_one * 50)
    assert many["a"]["high"] - many["a"]["low"] < few["a"]["high"] - few["a"]["low"]
    assert rank([]) == {}
    assert rank([{**vote("a", "a", "b"), "kind": "none", "winner": None}]) == {}


# --- Many prompts ---------------------------------------------------------------------------------


def test_many_prompts_fill_a_matrix(open_page: OpenPage) -> None:
    shell = open_page(link("quick", "echo/echo"))
    main = shell.main
    main.get_by_role("radio", name="Many prompts").click()
    file = {"name": "prompts.txt", "mimeType": "text/plain", "buffer": PROMPTS.encode()}
    main.locator("input[type=file]").set_input_files(file)
    expect(main.get_by_text("3 prompts (text, one a line), 6 calls")).to_be_visible()
    button(shell, re.compile("^Compare")).click()

    expect(main.locator(".run-bar")).to_contain_text("3 of 3 prompts, 6 of 6 answers")
    cells = main.locator(".matrix-cell[data-status=done]")
    expect(cells).to_have_count(6)
    assert_accessible(shell)
    button(shell, re.compile("echo to prompt 2")).click()
    dialog = shell.tab.get_by_role("dialog", name="Name three rivers.")
    expect(dialog.locator(".markdown")).to_have_text("Name three rivers.")
    shell.tab.keyboard.press("Escape")
    rows = list(csv.DictReader(io.StringIO(read(download(shell, "Save as CSV")))))
    assert [row["prompt"] for row in rows] == [p for p in PROMPTS.split("\n") for _ in range(2)]


def test_many_prompts_stop_and_go_on(open_page: OpenPage) -> None:
    shell = open_page(link("steady"))
    shell.main.get_by_role("radio", name="Many prompts").click()
    shell.main.get_by_role("textbox", name="Prompts").fill(PROMPTS)
    shell.main.get_by_label("At once").fill("1")
    button(shell, re.compile("^Compare")).click()
    expect(shell.main.locator(".run-bar")).to_contain_text("0 of 3 prompts")
    button(shell, "Stop").click()

    expect(button(shell, "Ask the 2 that are left")).to_be_visible()
    expect(button(shell, re.compile("^Compare"))).to_be_visible()


def test_prompts_are_read_from_text_json_lines_and_csv(open_page: OpenPage) -> None:
    shell = open_page("#/compare")
    messages = [{"role": "user", "content": "b\nc"}]
    lines = f'{{"prompt": "a"}}\n\n{{"messages": {json.dumps(messages)}}}\n"c"\n'
    cases: list[tuple[str, str, Any]] = [
        ("a\n\r\nb\n", "x.txt", ["a", "b"]),
        ("a\nb\n", "", ["a", "b"]),
        ("a\nb\n \nc\n", "", ["a\nb", "c"]),
        (lines, "", ["a", messages, "c"]),
        ('["a", {"prompt": "b"}]', "x.json", ["a", "b"]),
        ('id,prompt\n1,"x, ""y""\nz"\n2,w\n', "", ['x, "y"\nz', "w"]),
        ("\ufeffprompt;n\na;1\n", "x.csv", ["a"]),
        ("not json", "x.jsonl", "Line 1 is not JSON."),
        ('{"text": 1}', "", 'Line 1 has neither "prompt" nor "messages".'),
        ("a,b\n1,2", "x.csv", 'The first line has no column "prompt".'),
        ('prompt\n"a', "x.csv", "A quotation mark is not closed."),
        (" \n", "", "No prompt was found."),
    ]
    for text, name, expected in cases:
        found = call_module(shell, "prompts_file.js", "readPrompts", text, name)
        seen = found["problem"] or [each["prompt"] for each in found["prompts"]]
        assert seen == expected, (text, found)


# --- Differences and files ------------------------------------------------------------------------


def test_differences_are_marked_as_insertions_and_deletions(open_page: OpenPage) -> None:
    changed = {"text": "A very short reply.", "tokens_per_second": 500}
    shell = compare(open_page(link("quick", {"model": "echo/echo", "echo": changed})))
    answers(shell, 2)
    shell.main.get_by_label("Differences from").select_option(label="quick")

    other = lanes(shell).nth(1)
    expect(other.locator(".differences ins")).to_have_text(["very ", "reply"])
    expect(other.locator(".differences del")).to_have_text(["answer"])
    expect(lane(shell, "quick").locator(".markdown")).to_have_text("A short answer.")


def read(file: Download) -> str:
    return Path(file.path()).read_text(encoding="utf-8")


def test_a_comparison_is_saved_as_csv_json_and_picture(open_page: OpenPage) -> None:
    formula = {"text": "=1+1", "tokens_per_second": 500}
    entry = {"model": "echo/echo", "echo": formula}
    shell = compare(open_page(link("quick", entry), accept_downloads=True))
    answers(shell, 2)

    quick, echo = csv.DictReader(io.StringIO(read(download(shell, "Save as CSV"))))
    assert quick["prompt"] == QUESTION
    assert (quick["model"], quick["answer"], quick["status"]) == (
        "quick",
        "A short answer.",
        "done",
    )
    assert echo["answer"] == "'=1+1"
    saved = json.loads(read(download(shell, "Save as JSON")))
    assert saved["experiment"] == {"prompt": QUESTION, "models": ["quick", entry]}
    assert str(saved["answers"][0]["metrics"]["latency_s"]) == quick["latency_s"]
    picture = download(shell, "Save as picture")
    assert re.fullmatch(r"compare-[\dT-]+\.png", picture.suggested_filename)
    data = Path(picture.path()).read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(data) > 20_000


def test_an_experiment_is_copied_as_commands(open_page: OpenPage, server: Gateway) -> None:
    own = {"model": "echo/echo", "temperature": 0}
    fragment = link("quick", own, prompt="It's", runs=2, parameters={"max_tokens": 9, "seed": 7})
    shell = open_page(fragment, permissions=CLIPBOARD)
    expect(shell.main.locator(".lane-chip")).to_have_count(2)

    def copied(entry: str) -> str:
        choose(shell, entry)
        expect(shell.tab.get_by_role("status").get_by_text("copied").last).to_be_visible()
        return str(shell.tab.evaluate("() => navigator.clipboard.readText()"))

    assert copied("Copy as headway compare") == (
        'headway compare -m \'quick\' -m \'{"model":"echo/echo","temperature":0}\' '
        "--max-tokens 9 -p 'seed=7' -n 2 'It'\\''s'"
    )
    curl = copied("Copy as curl")
    assert curl.startswith(f"curl -N {server.base_url}/api/compare \\\n")
    body = json.loads(curl[curl.index("{") : -1].replace("'\\''", "'"))
    assert body["models"] == ["quick", own]
    assert body["messages"] == [{"role": "user", "content": "It's"}]


# --- Every width, and many lanes ------------------------------------------------------------------


def test_results_are_accessible_in_both_themes_and_on_phones(open_page: OpenPage) -> None:
    for scheme, width in (("light", 390), ("dark", 1600)):
        viewport = {"width": width, "height": 900}
        shell = open_page(
            link("quick", "fails", "markdown", runs=2), color_scheme=scheme, viewport=viewport
        )
        compare(shell)
        expect(shell.main.locator(".results-table")).to_be_visible()
        assert_accessible(shell)
        overflow = "() => document.querySelector('main').scrollWidth - innerWidth"
        assert shell.tab.evaluate(overflow) <= 0
