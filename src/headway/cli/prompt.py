"""Read the prompt from the command line and stdin, and parameters from ``-p key=value``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from headway.cli.errors import usage_error

STDIN = "-"


def read_prompt(argument: str | None, command: str = "headway chat") -> str:
    """The argument, stdin, or both with stdin last, as in `headway chat "Summarise:" < notes`.
    ``command`` is what the hint shows where there is none.

    A terminal is read only for ``-``: otherwise the command would wait for typed input."""
    wants_stdin = argument == STDIN or not is_interactive()
    given = "" if argument in (None, STDIN) else _valid(argument or "")
    parts = (given.strip(), _stdin().strip() if wants_stdin else "")
    prompt = "\n\n".join(part for part in parts if part)
    if not prompt:
        raise usage_error("there is no prompt", f'give a prompt: {command} "Hello! Who are you?"')
    return prompt


def read_parameters(pairs: Sequence[str]) -> dict[str, Any] | None:
    """``key=value`` pairs, values in JSON, or text where they are not JSON. None without any:
    the gateway's defaults stay in effect."""
    return dict(_pair(text) for text in pairs) or None


def _pair(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise usage_error(
            f"not a parameter: {text}", "-p takes key=value, such as -p max_tokens=50"
        )
    try:
        return key, msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return key, _valid(value)


def is_interactive() -> bool:
    """Whether a person types at stdin."""
    return sys.stdin is None or sys.stdin.isatty()


def _stdin() -> str:
    return "" if sys.stdin is None else sys.stdin.buffer.read().decode("utf-8", "replace")


def _valid(text: str) -> str:
    """Arguments that are not UTF-8 arrive with lone surrogates, which JSON cannot hold."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
