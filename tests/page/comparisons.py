"""What the tests and the pictures of the page Compare do there."""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any

from playwright.sync_api import Locator, expect

from page.shell import Shell

QUESTION = "Why is the sky blue?"


def link(*models: Any, prompt: str = QUESTION, **state: Any) -> str:
    """The fragment of an experiment, as the page writes it."""
    body = json.dumps({"prompt": prompt, "models": models, **state}).encode()
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(body) + packer.flush()
    return "#/compare?s=" + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def lanes(shell: Shell) -> Locator:
    return shell.main.locator("article.lane")


def lane(shell: Shell, name: str) -> Locator:
    return shell.main.get_by_role("article", name=name, exact=True)


def button(shell: Shell, name: str | re.Pattern[str]) -> Locator:
    return shell.main.get_by_role("button", name=name)


def start(shell: Shell) -> None:
    prompt = shell.main.get_by_role("textbox", name="Prompt", exact=True)
    expect(prompt).to_be_focused()
    prompt.press("Enter")


def compare(shell: Shell) -> Shell:
    """Start, and wait until all answers are over."""
    start(shell)
    progress = shell.main.locator(".run-progress[data-running=false]")
    progress.wait_for(state="attached", timeout=30_000)
    return shell


def answers(shell: Shell, count: int) -> None:
    expect(shell.main.locator(".run-bar")).to_contain_text(f"{count} of {count} answers,")


def record_id(shell: Shell, name: str) -> str:
    link_to_record = lane(shell, name).get_by_role("link", name="The record of this call")
    return str(link_to_record.get_attribute("href")).rpartition("/")[2]
