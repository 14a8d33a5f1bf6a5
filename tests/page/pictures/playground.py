"""Pictures of the page ``playground``."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

from playwright.sync_api import expect

from page.pictures.picture import Picture
from page.shell import Shell

ANSWER = """\
A **Gaussian pulse** keeps its shape while it spreads. With the width $\\sigma(t)$ its amplitude is

$$A(x, t) = \\frac{1}{\\sqrt{2\\pi}\\,\\sigma(t)} \\exp\\left(-\\frac{x^2}{2\\sigma(t)^2}\\right)$$

| medium | speed | loss |
|:--|--:|--:|
| air | 343 m/s | 0.1 dB |
| water | 1482 m/s | 0.002 dB |

```python
def width(t: float, sigma: float = 1.0) -> float:
    return (sigma**2 + t**2) ** 0.5
```
"""
THOUGHT = "The user asks about dispersion. Recall the formula, and give a short, precise answer."
WEATHER = {"name": "get_weather", "arguments": {"place": "Paris", "unit": "celsius"}}
NARROW = 1100


def at(model: str) -> str:
    return f"#/playground?model={quote(model, safe='')}"


def script(shell: Shell, answer: object) -> None:
    """Answer so from here on."""
    size = shell.tab.viewport_size
    is_narrow = size is not None and size["width"] < NARROW
    if is_narrow:
        shell.main.get_by_role("button", name="Settings").click()
    field = shell.tab.get_by_label("Fields of the request as JSON")
    if not field.count():
        shell.tab.get_by_role("button", name="Other fields").click()
    field.fill(json.dumps({"echo": answer}))
    if is_narrow:
        shell.tab.get_by_role("button", name="Close").click()


def ask(shell: Shell, text: str, answers: int = 1) -> None:
    expect(shell.tab.locator("#playground-model")).not_to_contain_text("Choose")
    shell.tab.locator("#prompt").fill(text)
    shell.tab.locator("#prompt").press("Enter")
    expect(shell.tab.locator(".answer")).to_have_count(answers)
    expect(shell.tab.locator(".answer").last).to_have_attribute("aria-busy", "false")


def answered(shell: Shell) -> None:
    script(shell, {"text": ANSWER, "reasoning": THOUGHT, "tokens_per_second": 60})
    ask(shell, "How does a pulse spread?")
    expect(shell.tab.locator(".katex").first).to_be_visible()


def called(shell: Shell) -> None:
    script(shell, {"tools": [WEATHER]})
    ask(shell, "What is the weather in Paris?")


def stalling(shell: Shell) -> None:
    shell.tab.locator("#prompt").fill("Go on")
    shell.tab.locator("#prompt").press("Enter")
    expect(shell.tab.locator(".answer")).to_contain_text(re.compile("silent for 1"))


def failed(shell: Shell) -> None:
    ask(shell, "Go on")


def coded(shell: Shell) -> None:
    ask(shell, "Go on")
    shell.main.get_by_role("button", name="Code", exact=True).click()
    expect(shell.tab.get_by_role("region", name="Code").locator("span").first).to_be_visible()


PICTURES = [
    Picture("playground", "#/playground"),
    Picture("playground-answer", at("echo/echo"), answered),
    Picture("playground-tools", at("echo/echo"), called),
    Picture("playground-stall", at("stalls"), stalling),
    Picture("playground-error", at("breaks"), failed),
    Picture("playground-code", at("quick"), coded),
]
