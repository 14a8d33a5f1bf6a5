from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from headway.providers import ALIASES, KINDS
from headway.providers.capabilities import CAPABILITIES
from headway.providers.docs import markdown
from support.for_each import for_each

PAGE = Path(__file__).parents[2] / "docs" / "providers.md"


def test_the_page_is_generated_from_the_adapters(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "headway.providers.docs")
    runpy.run_module("headway.providers.docs", run_name="__main__")
    assert capsys.readouterr().out == markdown() == PAGE.read_text(), (
        "run: python -m headway.providers.docs > docs/providers.md"
    )


def row(kind: str) -> list[str]:
    """The cells of a kind in the table of features."""
    table = markdown().partition("## What each can do")[2]
    line = next(line for line in table.splitlines() if line.startswith(f"| `{kind}` |"))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


@for_each("kind", KINDS)
def test_the_table_shows_the_capabilities_of_a_kind(kind: str) -> None:
    shown = dict(zip(CAPABILITIES, row(kind), strict=True))
    assert {name for name, mark in shown.items() if mark} == set(KINDS[kind].capabilities)


def test_the_page_shows_aliases_and_key_variables() -> None:
    page = markdown()
    assert all(f"`{alias}` is `{kind}`" in page for alias, kind in ALIASES.items() if kind in KINDS)
    assert all(f"`{one.key_env}`" in page for one in KINDS.values() if one.key_env)
