"""``headway compare``: one prompt to several models at once, side by side as they answer."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from headway.cli import terminal
from headway.cli.compare_lanes import Comparison
from headway.cli.errors import ERROR_REPLY, usage_error
from headway.cli.options import DEFAULT_URL, ApiKey, Url
from headway.cli.prompt import read_parameters, read_prompt
from headway.cli.requests import decode_event, post_for_events

if TYPE_CHECKING:
    from headway.cli.compare_lanes import Lane

PATH = "/api/compare"
TIMEOUT_S = 600.0
"""Without any event: a gateway sends a comment now and then."""
PIPE_WIDTH = 10**4
"""A table in a pipe is as wide as it must be."""


def compare(
    prompt: Annotated[
        str | None,
        typer.Argument(
            metavar="PROMPT",
            help="The prompt; - reads it from stdin. Piped input is appended to it.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="PROVIDER/MODEL",
            help="A model to ask, 20 at most; repeatable. Or a JSON object: its name as `model`, "
            "and parameters of its own.",
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FILE", help="A file whose text goes on the prompt."),
    ] = None,
    system: Annotated[
        str | None, typer.Option("--system", "-s", metavar="TEXT", help="The system message.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(metavar="NUMBER", help="The temperature of all models.")
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(metavar="N", help="The longest answer, in tokens.")
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            "-p",
            metavar="KEY=VALUE",
            help="Any field of the request, value in JSON or plain text; repeatable.",
        ),
    ] = None,
    runs: Annotated[
        int, typer.Option("--runs", "-n", metavar="N", help="Ask each model so often, 10 at most.")
    ] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each event of the gateway, as a line of JSON.")
    ] = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
) -> None:
    """Ask several models at once, and compare their answers, times and costs.

    The answers stream side by side; a table follows, with the best value of each column marked. Of
    several runs it has the median, and below it the least and the most. Every answer is a call as
    any other, with the tag compare:ID. Ctrl-C stops them all.

    Examples:

        headway compare -m openai/gpt-4.1-mini -m anthropic/claude-haiku-4-5 "Why is the sky blue?"
        headway compare -m local/smollm2-135m-instruct -n 5 --temperature 0 -f prompt.txt
    """
    if not model:
        raise usage_error(
            "no model is named", "name some: headway compare -m openai/gpt-4.1 -m local/... Hello"
        )
    given = {"temperature": temperature, "max_tokens": max_tokens}
    fields = {name: value for name, value in given.items() if value is not None}
    models = [_read_model(each) for each in model]
    body = {
        **fields,
        **(read_parameters(param or ()) or {}),
        "models": models,
        "runs": runs,
        "messages": _messages(_read_prompt(prompt, file), system),
    }
    with post_for_events(url, api_key, PATH, msgspec.json.encode(body), TIMEOUT_S) as events:
        if as_json:
            return _write_events(events)
        return _show(events, Comparison([_name(each) for each in models]))


def _read_model(text: str) -> str | dict[str, Any]:
    if not text.startswith("{"):
        return text
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise usage_error(f"not a JSON object: {text}", 'such as {"model": "a/b"}') from error


def _name(model: str | dict[str, Any]) -> str:
    """With parameters that are short, which tell models of the same name apart."""
    if isinstance(model, str):
        return model
    plain = (str, int, float, bool)
    own = {name: value for name, value in model.items() if name != "model"}
    texts = [f"{name}={value}" for name, value in own.items() if isinstance(value, plain)]
    return " ".join([str(model.get("model")), *texts])


def _read_prompt(argument: str | None, file: Path | None) -> str:
    if file is None:
        return read_prompt(argument, "headway compare -m PROVIDER/MODEL")
    try:
        text = file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError as error:
        raise usage_error(f"{file} cannot be read: {error.strerror}") from error
    return "\n\n".join(part for part in (argument, text) if part)


def _messages(prompt: str, system: str | None) -> list[dict[str, str]]:
    first = [] if system is None else [{"role": "system", "content": system}]
    return [*first, {"role": "user", "content": prompt}]


def _write_events(events: Iterator[bytes]) -> None:
    for data in events:
        sys.stdout.write(data.decode() + "\n")
        sys.stdout.flush()


def _show(events: Iterator[bytes], comparison: Comparison) -> None:
    """Raises typer.Exit where no model answered."""
    try:
        if terminal.is_terminal():
            _show_columns(events, comparison)
        else:
            _write_blocks(events, comparison)
        _check_is_over(comparison)
    finally:
        comparison.stop()
        if comparison.lanes:
            _write_result(comparison)
    if not any(lane.state == "done" for lane in comparison.lanes):
        raise typer.Exit(ERROR_REPLY)


def _check_is_over(comparison: Comparison) -> None:
    from headway.sdk import ApiError

    if not comparison.is_over:
        raise ApiError("the stream ended before its last event", type="truncated_stream")


def _show_columns(events: Iterator[bytes], comparison: Comparison) -> None:
    """On a terminal: the answers as they come, then all of them whole."""
    from headway.cli.compare_columns import Columns

    columns = Columns(comparison, terminal.measure(), blocks=terminal.can_draw())
    try:
        with terminal.live(lambda width, height: columns.draw(width, height, time.monotonic())):
            for data in events:
                comparison.read(decode_event(data), time.monotonic())
    finally:
        comparison.stop()
        terminal.write_lines(columns.draw_all(terminal.columns()))


def _write_blocks(events: Iterator[bytes], comparison: Comparison) -> None:
    """Into a pipe: each answer when it and those before it are complete."""
    written = 0
    for data in events:
        comparison.read(decode_event(data))
        while written < len(comparison.lanes) and comparison.lanes[written].is_over:
            terminal.write(_block(comparison.lanes[written]))
            written += 1


def _block(lane: Lane) -> str:
    run = f" (run {lane.run + 1})" if lane.run else ""
    text = lane.output.rstrip("\n")
    error = f"error: {lane.error}\n" if lane.error else ""
    return f"## {lane.name}{run}\n\n{text}{chr(10) if text else ''}{error}\n"


def _write_result(comparison: Comparison) -> None:
    from headway.cli.compare_table import comparison_table
    from headway.cli.tables import render

    is_terminal = terminal.is_terminal()
    table = terminal.one_line_cells(comparison_table(comparison.runs, marks=not is_terminal))
    width = terminal.columns() if is_terminal else PIPE_WIDTH
    terminal.write_lines([[], *render(table, width, terminal.measure())])
    terminal.note(f"headway logs --tag compare:{comparison.id} lists the calls")
