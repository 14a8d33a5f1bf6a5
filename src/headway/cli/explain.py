"""``headway explain``: what would happen to a request, target by target. Nothing is sent."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from headway.cli import number_formats as numbers
from headway.cli import terminal
from headway.cli.errors import usage_error
from headway.cli.log_table import STYLES
from headway.cli.options import DEFAULT_URL, ApiKey, AsJson, Url
from headway.cli.prompt import STDIN, read_parameters
from headway.cli.requests import post_json
from headway.cli.tables import Cell, Cells, Column, Line, Table

if TYPE_CHECKING:
    from headway.pipeline.explanation import ExplainedTarget, Explanation

PATH = "/api/explain"
TIMEOUT_S = 30.0
ASSUMED = 500
"""Tokens of output, as the gateway assumes (``routing.plan.MEAN_OUTPUT_TOKENS``)."""
PROMPT = "Hello! Who are you?"
COLUMNS = (
    Column("", is_right=True),
    Column("Target", style="cyan", least=20),
    Column("Estimate", is_right=True),
    Column("Context", is_right=True, rank=4),
    Column("Breaker", rank=3),
    Column("TTFT", is_right=True, rank=2),
    Column("Tok/s", is_right=True, rank=1),
    Column("Result", least=24),
)


def explain(
    model: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", help="A model or a route, as requests name it."),
    ] = None,
    prompt: Annotated[
        str, typer.Argument(metavar="PROMPT", help="The message of the user.", show_default=False)
    ] = PROMPT,
    file: Annotated[
        str | None,
        typer.Option(
            "--file", "-f", metavar="FILE", help="A request in JSON instead; `-` is stdin."
        ),
    ] = None,
    dialect: Annotated[
        str,
        typer.Option(
            "--dialect",
            metavar="NAME",
            help="The format of the file: chat, responses, messages, gemini, ollama, completions "
            "or embeddings.",
        ),
    ] = "chat",
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            "-p",
            metavar="KEY=VALUE",
            help="Set a field of the request, value in JSON or plain text; repeatable.",
        ),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(
            "--header", "-H", metavar="NAME:VALUE", help="A header of the request; repeatable."
        ),
    ] = None,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
) -> None:
    """Explain which target a request would be sent to, and why not to the others.

    With the price that is to be expected, and what is known of each target at the moment. Nothing
    is sent to a provider.

    Examples:

        headway explain smart "Summarize this." -p max_tokens=200
        headway explain smart -H x-headway-tags:vip
        headway explain -f request.json --dialect messages --json
    """
    asked = {
        "dialect": dialect,
        "body": {**_body(model, prompt, file), **(read_parameters(param or ()) or {})},
        "headers": dict(_header(each) for each in header or ()),
    }
    with terminal.waiting("asking the gateway"):
        answer = post_json(url, api_key, PATH, msgspec.json.encode(asked), TIMEOUT_S)
    if as_json:
        return terminal.write_json(answer)
    from headway.pipeline.explanation import Explanation

    found = msgspec.json.decode(answer, type=Explanation)
    if terminal.is_terminal():
        terminal.write_lines([[(_headline(found), "bold")], []])
    terminal.write_table(Table(COLUMNS, [_cells(target, found) for target in found.targets]))
    if terminal.is_terminal():
        terminal.write_lines(list(_remarks(found)))
    return None


def _body(model: str | None, prompt: str, file: str | None) -> dict[str, Any]:
    if file is None:
        if model is None:
            raise usage_error("a model is needed", "`headway explain MODEL`, or a request by -f")
        return {"model": model, "messages": [{"role": "user", "content": prompt}]}
    body = _read_file(file)
    return body if model is None else {**body, "model": model}


def _read_file(name: str) -> dict[str, Any]:
    try:
        data = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
    except OSError as error:
        reason = error.strerror or "failed"
        raise usage_error(f"{name} cannot be read: {reason}", "name a file with JSON") from error
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise usage_error(f"{name} is no JSON object: {error}", "give a whole request") from error


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not (name.strip() and colon):
        raise usage_error(f"not a header: {text}", "-H takes NAME:VALUE, such as -H x-team:red")
    return name.strip(), value.strip()


# --- The table ------------------------------------------------------------------------------------


def _cells(target: ExplainedTarget, found: Explanation) -> Cells:
    state = target.state
    return (
        "" if target.place is None else str(target.place),
        target.target,
        _estimate(target),
        numbers.count(target.context_window),
        Cell("" if state.breaker == "closed" else state.breaker, STYLES["error"]),
        numbers.seconds(state.time_to_first_token_s),
        numbers.speed(state.tokens_per_second),
        _result(target, found),
    )


def _estimate(target: ExplainedTarget) -> str | Cell:
    usd = target.price.estimated_usd
    return Cell("unknown", "dim") if usd is None else numbers.amount(Decimal(repr(usd)))


def _result(target: ExplainedTarget, found: Explanation) -> Cell:
    if target.skipped is not None:
        return Cell(target.skipped, "yellow")
    if target.place is not None:
        return Cell("is sent it" if target.place == 1 else "follows where that fails", "green")
    follows = {
        "on_context_window": "follows where the prompt is too long",
        "on_content_policy": "follows where the content is refused",
        "shadow": f"gets a copy of {found.rules.shadow_share or 0:.0%} of requests",
    }
    return Cell(follows.get(target.role, "is not tried"), "dim")


def _headline(found: Explanation) -> str:
    """``smart, weighted: 13 tokens in (counted), needs tools``."""
    request = found.request
    needs = f", needs {', '.join(request.needs)}" if request.needs else ""
    cached = f", cache: {found.cache}" if found.cache else ""
    tokens = f"{numbers.count(request.input_tokens)} tokens in ({request.input_tokens_source})"
    return f"{found.model}, {found.why}: {tokens}{needs}{cached}"


def _remarks(found: Explanation) -> Iterator[Line]:
    """What does not fit into the table."""
    for target in found.targets:
        remarks = [*target.transformations, *_waits(target), *_lengths(target)]
        if remarks:
            yield []
            yield [(target.target, "bold cyan")]
            yield from ([(f"  {remark}", "dim")] for remark in remarks)
    if any(_is_assumed(target) for target in found.targets):
        yield []
        yield [(f"Estimates without a known mean are for {ASSUMED:g} tokens of output.", "dim")]
    if found.refusal is not None:
        yield []
        yield [(found.refusal, STYLES["error"])]


def _waits(target: ExplainedTarget) -> Sequence[str]:
    waits = [
        f"key {key.name} may be used in {numbers.span(key.waits_s)}"
        for key in target.keys
        if key.waits_s
    ]
    if target.state.hedge_delay_s is not None:
        waits.append(f"hedged after {numbers.seconds(target.state.hedge_delay_s)} of silence")
    return waits


def _lengths(target: ExplainedTarget) -> Sequence[str]:
    """What the estimate of the price is for."""
    price = target.price
    if price.estimated_usd is None or price.output_tokens_source != "mean":
        return ()
    return (f"estimated for {price.output_tokens:g} tokens of output, the mean of its calls",)


def _is_assumed(target: ExplainedTarget) -> bool:
    return target.price.estimated_usd is not None and (
        target.price.output_tokens_source == "assumed"
    )
