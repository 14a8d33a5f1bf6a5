"""Output: replies to stdout, everything about them to stderr.

Colours and tables are for terminals only, and Rich is imported only where it is used. On a terminal
control characters in replies are replaced by visible ones.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

import msgspec

if TYPE_CHECKING:
    from rich.console import Console

    from headway.cli.errors import CommandError
    from headway.cli.tables import Cells, Line, Measure, Table

LAST_STANDARD_DESCRIPTOR = 2
FRAMES_PER_S = 15
VISIBLE = {code: chr(0x2400 + code) for code in range(0x20) if code not in b"\t\n\r"}
VISIBLE |= {0x0D: "", 0x7F: "\u2421", **dict.fromkeys(range(0x80, 0xA0), "\ufffd")}
"""Control characters -> the Unicode control pictures that a terminal gets instead."""


def is_terminal() -> bool:
    return sys.stdout.isatty()


def write(text: str) -> None:
    """Write a piece of a reply to stdout; unchanged into a pipe, made safe on a terminal."""
    sys.stdout.write(text.translate(VISIBLE) if is_terminal() else text)
    sys.stdout.flush()


def write_json(raw: bytes) -> None:
    """Write JSON to stdout, indented; numbers and text as received."""
    text = msgspec.json.format(raw, indent=2).decode()
    if not is_terminal():
        return write(text + "\n")
    from rich.highlighter import JSONHighlighter

    _console(stderr=False).print(JSONHighlighter()(text.translate(VISIBLE)), soft_wrap=True)
    return None


def write_rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table on a terminal; into a pipe a line for each row, tab-separated, no header."""
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
        table.add_row(*(Text(cell.translate(VISIBLE)) for cell in row))
    _console(stderr=False).print(table)
    return None


def columns() -> int:
    """The width of the terminal; of a pipe 100."""
    return shutil.get_terminal_size((100, 24)).columns


def can_draw() -> bool:
    """Whether stdout takes block characters."""
    try:
        "▁█─".encode(sys.stdout.encoding or "ascii")
    except UnicodeError:
        return False
    return True


def measure() -> Measure:
    """Counts the columns that a text takes on this terminal."""
    from rich.cells import cell_len

    return cell_len


def write_table(table: Table) -> None:
    """Write a table that fits the terminal; into a pipe a line for each row, tab-separated, whole
    and without header or totals."""
    if not is_terminal():
        return write("".join(tab_separated(row) for row in table.rows))
    from headway.cli.tables import render

    return write_lines(render(one_line_cells(table), columns(), measure()))


def one_line_cells(table: Table) -> Table:
    """``table`` with each of its cells on one line."""
    from headway.cli.tables import Table

    totals = None if table.totals is None else one_line(table.totals)
    return Table(table.columns, [one_line(row) for row in table.rows], totals)


def one_line(cells: Cells) -> Cells:
    """Without line breaks and tabs, and with control characters made visible."""
    from headway.cli.tables import Cell

    return [
        _flat(cell) if isinstance(cell, str) else Cell(_flat(cell.text), cell.style)
        for cell in cells
    ]


def tab_separated(cells: Cells) -> str:
    """One row as a line for scripts."""
    from headway.cli.tables import text_of

    return "\t".join(" ".join(text_of(cell).split()) for cell in cells) + "\n"


def write_lines(lines: Sequence[Line]) -> None:
    """Write lines of styled pieces; into a pipe without the styles."""
    if not is_terminal():
        return write("".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines))
    from rich.text import Text

    console = _console(stderr=False)
    for line in lines:
        pieces = ((text.translate(VISIBLE), style) for text, style in line)
        console.print(Text.assemble(*pieces), soft_wrap=True)
    return None


@contextmanager
def live(draw: Callable[[int, int], Sequence[Line]]) -> Iterator[None]:
    """On a terminal, show the lines that ``draw`` makes for a width and a height, and draw them
    again several times a second, from another thread. At the end they are gone."""
    from rich.live import Live
    from rich.text import Text

    console = _console(stderr=False)

    def render() -> Text:
        lines = draw(console.width, max(1, console.height - 1))
        pieces = [[(text.translate(VISIBLE), style) for text, style in line] for line in lines]
        return Text("\n").join(Text.assemble(*line) for line in pieces)

    with Live(
        get_renderable=render,
        console=console,
        refresh_per_second=FRAMES_PER_S,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        vertical_overflow="crop",
    ):
        yield


def _flat(text: str) -> str:
    return " ".join(text.split()).translate(VISIBLE)


def end_line() -> None:
    """End the line on which the user typed, or interrupted."""
    sys.stderr.write("\n")
    sys.stderr.flush()


def note(text: str) -> None:
    """Write a dim line to stderr, such as the metrics, wrapped between words."""
    _write_stderr((text, "dim"), by_word=True)


def write_error(error: CommandError) -> None:
    """Write an error to stderr: its message, details and hint."""
    _write_stderr(("error: ", "bold red"), (error.message, ""))
    if error.details:
        _write_stderr((_indented("       ", error.details), "dim"))
    if error.hint:
        _write_stderr(("hint:  ", "bold"), (_indented("       ", error.hint)[7:], ""))


@contextmanager
def waiting(what: str, *, announce: bool = False) -> Iterator[Callable[[], None]]:
    """Show a spinner on a terminal. Yields a function that stops it early. Where stderr is no
    terminal, ``announce`` writes a line instead."""
    if not sys.stderr.isatty():
        if announce:
            note(f"{what} ...")
        yield lambda: None
        return
    from rich.text import Text

    label = Text(what.translate(VISIBLE), style="dim")
    with _console(stderr=True).status(label, spinner="dots") as status:
        yield status.stop


def open_missing_streams() -> None:
    """Open the null device for each standard stream that the caller closed (``headway serve >&-``).
    Otherwise the next file or socket would get its descriptor, and receive what is written to
    it."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= LAST_STANDARD_DESCRIPTOR:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123


def prepare() -> None:
    """Replace characters that the terminal's encoding lacks, instead of raising."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def abandon(*streams: TextIO) -> None:
    """Discard buffered output that cannot be written: its reader has exited (`headway models | head
    -1`), or its disk is full. Otherwise the interpreter's last flush would fail, and the exit code
    be 120 (docs.python.org, signal, "Note on SIGPIPE")."""
    for stream in streams:
        try:
            stream.flush()
        except OSError:
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, stream.fileno())
            os.close(devnull)


def _write_stderr(*parts: tuple[str, str], by_word: bool = False) -> None:
    """Messages that cannot be written do not change what a command does."""
    with suppress(OSError):
        _write_parts(parts, by_word=by_word)


def _write_parts(parts: Sequence[tuple[str, str]], *, by_word: bool) -> None:
    if not sys.stderr.isatty():
        print("".join(text for text, _ in parts), file=sys.stderr, flush=True)  # noqa: T201
        return
    from rich.text import Text

    safe = ((text.translate(VISIBLE), style) for text, style in parts)
    _console(stderr=True).print(Text.assemble(*safe), soft_wrap=not by_word)


def _indented(indent: str, text: str) -> str:
    return "\n".join(indent + line for line in text.splitlines())


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)
