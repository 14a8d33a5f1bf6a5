"""``python -m headway.providers.wire_rules_docs``: write docs/wire-rules.md from the adapters."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from headway.providers import KINDS
from headway.providers.wire_rules import SUBJECTS, Rule

INTRODUCTION = """\
# Wire rules

OpenAI accepts requests that other providers refuse. This page says for each such subject, and each
kind of provider, what Headway does:

- *mended*: the request is changed so that the provider accepts it, and the reply's
  `transformations` says so; with `strict: true` the request is refused instead;
- *refused*: Headway answers 400 with the field's name in `param`, before anything is sent;
- *allowed*: the provider accepts it, or OpenAI's own API judges it; it is sent as it is, at most in
  the wire's own form.

The page is generated from the rules that the adapters apply (`wire_rules` of each), and a test
calls every adapter with an example of every subject.
"""
MOST = 10
"""Kinds that share a rule, from which on they are called the others."""


def markdown() -> str:
    return INTRODUCTION + "".join(map(_section, SUBJECTS))


def _section(subject: str) -> str:
    head = "| kinds | outcome | by | source |\n|---|---|---|---|\n"
    return f"\n## {_capitalized(SUBJECTS[subject])}\n\n{head}{''.join(_rows(subject))}"


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _rows(subject: str) -> Iterator[str]:
    """A row for each rule, with the kinds that share it."""
    kinds: dict[tuple[str, ...], list[str]] = {}
    for kind, provider in KINDS.items():
        for rule in provider.wire_rules:
            if rule.subject == subject:
                kinds.setdefault(_row(rule), []).append(f"`{kind}`")
    for (models, *cells), names in sorted(kinds.items(), key=lambda each: len(each[1])):
        listed = "all others" if len(names) > MOST else ", ".join(names)
        first = f"{listed}: {models}" if models else listed
        yield f"| {' | '.join((first, *cells))} |\n"


def _row(rule: Rule) -> tuple[str, ...]:
    note = f" ({rule.note})" if rule.note else ""
    done_by = rule.transform or rule.function
    return (
        rule.models,
        rule.outcome + note,
        "" if done_by is None else f"`{name_of(done_by)}`",
        f"[source]({rule.source})",
    )


def name_of(function: Callable[..., Any]) -> str:
    """``text_rules.remove_blank_texts``; for a function that another one makes, the maker's."""
    if isinstance(function, partial):
        return name_of(function.func)
    module = function.__module__.removeprefix("headway.providers.")
    return f"{module}.{function.__qualname__.partition('.<locals>')[0]}"


if __name__ == "__main__":
    sys.stdout.write(markdown())
