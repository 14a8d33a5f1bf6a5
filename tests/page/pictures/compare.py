"""Pictures of the page ``compare``."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from page.comparisons import button, compare, link, start
from page.pictures.picture import Picture
from page.shell import Shell

BICYCLE = "Explain in three short paragraphs how a bicycle stays upright."
PROMPTS = "What is gravity?\nName three rivers of Europe.\nWhat is 17 times 23?\nWrite a haiku."
FOUR = ("steady", "thinking", "markdown", "quick")


def finish(shell: Shell) -> None:
    compare(shell)


def pause_midway(shell: Shell) -> None:
    start(shell)
    text = shell.main.get_by_role("article", name="slow").locator(".markdown")
    expect(text).to_contain_text("jumps over")


def show_figures(shell: Shell) -> None:
    compare(shell)
    shell.main.locator(".scoreboard").scroll_into_view_if_needed()
    shell.main.evaluate("(main) => main.scrollTo(0, main.scrollHeight)")


def show_differences(shell: Shell) -> None:
    compare(shell)
    shell.main.get_by_label("Differences from").select_option(label="steady")
    expect(shell.main.locator(".differences").first).to_be_visible()


def show_ranking(shell: Shell) -> None:
    compare(shell)
    button(shell, re.compile("^A$")).click()
    button(shell, "Ranking 1").click()


def ask_many(shell: Shell) -> None:
    shell.main.get_by_role("radio", name="Many prompts").click()
    shell.main.get_by_role("textbox", name="Prompts").fill(PROMPTS)
    button(shell, re.compile("^Compare")).click()
    expect(shell.main.locator(".run-bar")).to_contain_text("4 of 4 prompts", timeout=60_000)


PICTURES = [
    Picture("compare", "#/compare"),
    Picture("compare-live", link("steady", "slow", "thinking", prompt=BICYCLE), pause_midway),
    Picture("compare-done", link(*FOUR, prompt=BICYCLE), finish),
    Picture("compare-figures", link(*FOUR, prompt=BICYCLE, runs=3), show_figures),
    Picture("compare-many-lanes", link(*FOUR * 5, prompt=BICYCLE), finish),
    Picture("compare-failed", link("quick", "fails", "breaks", "openai/gone"), finish),
    Picture("compare-differences", link("steady", "slow", "quick"), show_differences),
    Picture("compare-blind", link(*FOUR, prompt=BICYCLE, blind=True), finish),
    Picture("compare-ranking", link(*FOUR, prompt=BICYCLE, blind=True), show_ranking),
    Picture("compare-prompts", link("steady", "quick", "thinking"), ask_many),
]
