"""``headway serve`` as it is mostly written, read without Typer.

It reads only what has one meaning. Whatever else there is, a mistake above all, it leaves to Typer,
so that messages and help stay Typer's own; a test holds that both read the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headway.cli import endings, serving, terminal
from headway.cli.serving import OPTIONS, Asked, Option

FOR_TYPER = ("HEADWAY_DEBUG", "_HEADWAY_COMPLETE")
"""Variables that make every command another: tracebacks are wanted, or a shell completes."""
MOST_DIGITS = 9

_BY_FLAG = {option.flag: name for name, option in OPTIONS.items()}


def read(arguments: Sequence[str], environ: Mapping[str, str]) -> Asked | None:
    """What the ``arguments`` ask for; None: that is for Typer to say."""
    if list(arguments[:1]) != [serving.COMMAND] or any(map(environ.get, FOR_TYPER)):
        return None
    found: dict[str, Any] = {}
    rest = iter(arguments[1:])
    for argument in rest:
        flag, is_joined, text = argument.partition("=")
        if flag not in _BY_FLAG:
            return None
        name = _BY_FLAG[flag]
        if OPTIONS[name].metavar is None:
            found[name] = None if is_joined else True
        else:
            found[name] = _value(OPTIONS[name], text if is_joined else next(rest, ""))
        if found[name] is None:
            return None
    return Asked(**found)


def run(asked: Asked) -> int:
    """Serves, and says what went wrong as every command does. Returns the exit code."""
    terminal.prepare()
    try:
        return serving.serve(asked)
    except (Exception, KeyboardInterrupt) as error:
        return endings.tell(error)


def _value(option: Option, text: str) -> str | int | Path | None:
    if not text or text.startswith("-") or not text.isprintable():
        return None
    if option.reads is not int:
        return option.reads(text)
    if not (text.isascii() and text.isdecimal()) or len(text) > MOST_DIGITS:
        return None
    number = int(text)
    is_low = option.low is not None and number < option.low
    is_high = option.high is not None and number > option.high
    return None if is_low or is_high else number
