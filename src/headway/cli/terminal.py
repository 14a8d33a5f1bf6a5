"""Where output goes: answers to stdout, everything said about them to stderr.

Colours and tables are for terminals only, and Rich is loaded only where it is used. What others
wrote (models, providers) cannot steer the terminal: control characters are shown, not sent.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from rich.console import Console

    from headway.cli.problems import Problem

SHOWN = {code: chr(0x2400 + code) for code in range(0x20) if code not in b"\t\n\r"}
SHOWN |= {0x0D: "", 0x7F: "\u2421", **dict.fromkeys(range(0x80, 0xA0), "\ufffd")}
"""Control characters and what a terminal gets instead: their pictures of Unicode's own."""


def is_terminal() -> bool:
    return sys.stdout.isatty()


def write(text: str) -> None:
    """A piece of an answer, to stdout at once: as it is into a pipe, made safe on a terminal."""
    sys.stdout.write(text.translate(SHOWN) if is_terminal() else text)
    sys.stdout.flush()


def write_json(raw: bytes) -> None:
    """JSON to stdout, indented; numbers and text stay as they were answered."""
    text = msgspec.json.format(raw, indent=2).decode()
    if not is_terminal():
        return write(text + "\n")
    from rich.highlighter import JSONHighlighter

    _console(stderr=False).print(JSONHighlighter()(text.translate(SHOWN)), soft_wrap=True)
    return None


def write_rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal; into a pipe one line a row, tabs between, no header."""
    if not is_terminal():
        return write("".join("\t".join(row) + "\n" for row in rows))
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for position, name in enumerate(header):
        # The first column is what gets copied into the next command: never shorten it.
        first = position == 0
        table.add_column(name, style="cyan" if first else "", overflow="fold", no_wrap=not first)
    for row in rows:
        table.add_row(*(Text(cell.translate(SHOWN)) for cell in row))
    _console(stderr=False).print(table)
    return None


def note(text: str) -> None:
    """A quiet line to stderr, such as the metrics. A narrow terminal breaks it between words."""
    _say((text, "dim"), by_word=True)


def tell(problem: Problem) -> None:
    """A problem to stderr: what is wrong, what is known about it, what to do."""
    _say(("error: ", "bold red"), (problem.message, ""))
    if problem.details:
        _say((_indented("       ", problem.details), "dim"))
    if problem.hint:
        _say(("hint:  ", "bold"), (_indented("       ", problem.hint)[7:], ""))


@contextmanager
def waiting(what: str, *, announce: bool = False) -> Iterator[Callable[[], None]]:
    """Shows a terminal that something is under way, and leaves no trace of it. Yields what ends
    it early. Where stderr is no terminal, ``announce`` makes it a line there."""
    if not sys.stderr.isatty():
        if announce:
            note(f"{what} ...")
        yield lambda: None
        return
    from rich.text import Text

    label = Text(what.translate(SHOWN), style="dim")
    with _console(stderr=True).status(label, spinner="dots") as status:
        yield status.stop


def prepare() -> None:
    """Answers hold characters that a terminal's encoding may lack: better a ? than a crash."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def abandon_stdout() -> None:
    """Its reader is gone (`headway models | head -1`): what is still buffered goes nowhere, and
    the interpreter's last flush must not fail (docs.python.org, signal, "Note on SIGPIPE")."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _say(*parts: tuple[str, str], by_word: bool = False) -> None:
    if not sys.stderr.isatty():
        print("".join(text for text, _ in parts), file=sys.stderr, flush=True)  # noqa: T201
        return
    from rich.text import Text

    safe = ((text.translate(SHOWN), style) for text, style in parts)
    _console(stderr=True).print(Text.assemble(*safe), soft_wrap=not by_word)


def _indented(indent: str, text: str) -> str:
    return "\n".join(indent + line for line in text.splitlines())


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)
