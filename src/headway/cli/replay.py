"""``headway replay``: a recorded request again, with other models, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import msgspec
import typer

from headway.cli import number_formats as numbers
from headway.cli import terminal
from headway.cli.call_lookup import find_call
from headway.cli.errors import ERROR_REPLY, CommandError, usage_error
from headway.cli.ledger_access import Ledger, use_ledger
from headway.cli.log_table import STYLES, short_id
from headway.cli.options import ApiKey, ConfigPath, RecordsAsJson
from headway.cli.prompt import read_parameters
from headway.cli.requests import post_json
from headway.cli.tables import Cell, Cells, Column, Line, Table

if TYPE_CHECKING:
    from headway.server.replay import (
        Replay,
        ReplayComparison,
        ReplayDifference,
        ReplayedCall,
        ReplayResult,
    )

TIMEOUT_S = 600.0
COLUMNS = (
    Column("Model", style="cyan", least=20),
    Column("Id", rank=4),
    Column("In", is_right=True),
    Column("Out", is_right=True),
    Column("Cost", is_right=True),
    Column("±", is_right=True, rank=1),
    Column("TTFT", is_right=True),
    Column("±", is_right=True, rank=3),
    Column("Took", is_right=True),
    Column("±", is_right=True, rank=2),
    Column("Tok/s", is_right=True, rank=5),
    Column("Result", least=10),
)


def replay(
    call_id: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="The id of the call, or its first characters, as `headway logs` has."
        ),
    ],
    model: Annotated[
        list[str],
        typer.Option(
            "--model", "-m", metavar="PROVIDER/MODEL", help="Run it with this model; repeatable."
        ),
    ],
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            "-p",
            metavar="KEY=VALUE",
            help="Set a parameter of the request, value in JSON or plain text; null removes it.",
        ),
    ] = None,
    as_json: RecordsAsJson = False,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            envvar="HEADWAY_URL",
            metavar="URL",
            help="Let the gateway at this address do it, with its providers. "
            "Without it: this process, with the configuration here.",
        ),
    ] = None,
    api_key: ApiKey = None,
    config: ConfigPath = None,
) -> None:
    """Run a recorded request again with other models, and compare cost, times and answers.

    Its messages must have been kept: `ledger.content: full`. Each run is a call as any other, with
    the tag replay:ID.

    Examples:

        headway replay 3f2a9c1d -m openai/gpt-4.1-mini -m anthropic/claude-haiku-4-5
        headway replay 3f2a9c1d -m local/smollm2-135m-instruct -p temperature=0
    """
    if not call_id:
        raise usage_error("an id is needed", "`headway logs` lists the latest calls")
    parameters = read_parameters(param or ()) or {}
    with terminal.waiting(f"calling {len(model)} models" if len(model) > 1 else "calling"):
        if url is not None:
            answer = _replay_there(url, api_key, call_id, model, parameters)
        else:
            answer = _replay_here(config, call_id, model, parameters)
    if as_json:
        return terminal.write_json(answer)
    from headway.server.replay import ReplayComparison

    comparison = msgspec.json.decode(answer, type=ReplayComparison)
    terminal.write_table(_table(comparison))
    if terminal.is_terminal():
        terminal.write_lines(list(_answers(comparison)))
    return None


def _replay_there(
    url: str, api_key: str | None, call_id: str, models: Sequence[str], parameters: Any
) -> bytes:
    body = msgspec.json.encode({"models": models, "parameters": parameters})
    return post_json(url, api_key, f"/api/replay/{quote(call_id, safe='')}", body, TIMEOUT_S)


def _replay_here(
    config: Path | None, call_id: str, models: Sequence[str], parameters: Mapping[str, Any]
) -> bytes:
    from headway.errors import HeadwayError
    from headway.server.replay import Replay

    raw = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in parameters.items()}
    asked = Replay(models=tuple(models), parameters=raw)

    async def work(ledger: Ledger) -> bytes:
        comparison = await _run(ledger, call_id, asked)
        await ledger.ship()
        return msgspec.json.encode(comparison)

    try:
        return use_ledger(config, work)
    except HeadwayError as error:
        raise CommandError(error.message, code=ERROR_REPLY) from error


async def _run(ledger: Ledger, call_id: str, asked: Replay) -> ReplayComparison:
    """In a gateway of this process. Whoever has the database needs no gateway key."""
    from headway.policy.keys import KeyRing
    from headway.server.app import App
    from headway.server.replay import run_replay

    call = await find_call(ledger, call_id)
    assert call is not None  # there is an id
    conversation = await ledger.store.conversation(call.id)
    app = App(ledger.config, runs_shipper=False)
    await app.start()
    try:
        app.gateway.snapshot = msgspec.structs.replace(app.gateway.snapshot, keys=KeyRing())
        return await run_replay(app.gateway, call, conversation, asked)
    finally:
        await app.close()


# --- The comparison -------------------------------------------------------------------------------


def _table(comparison: ReplayComparison) -> Table:
    rows = [_original_cells(comparison.original)]
    rows += [_result_cells(result) for result in comparison.results]
    return Table(COLUMNS, rows)


def _original_cells(original: ReplayedCall) -> Cells:
    call = original.call
    name = f"{call.provider}/{call.model}" if call.provider else call.model or ""
    return (
        name,
        short_id(call.id),
        numbers.count(call.input_tokens),
        numbers.count(call.output_tokens),
        _cost(call.cost_usd),
        "",
        numbers.seconds(call.time_to_first_token_s),
        "",
        numbers.seconds(call.latency_s),
        "",
        numbers.speed(call.tokens_per_second),
        Cell("the original", "dim"),
    )


def _result_cells(result: ReplayResult) -> Cells:
    found, less = result.metrics, result.difference
    if result.error is not None or found is None or less is None:
        failed = "no answer" if result.error is None else result.error.code or result.error.type
        return (result.model, short_id(result.id or ""), *[""] * 9, Cell(failed, STYLES["error"]))
    return (
        result.model,
        short_id(result.id or ""),
        numbers.count(found.input_tokens),
        numbers.count(found.output_tokens),
        _cost(found.cost_usd),
        _change(less.cost_usd, lambda value: numbers.amount(Decimal(repr(value)))),
        numbers.seconds(found.time_to_first_token_s),
        _change(less.time_to_first_token_s, numbers.seconds),
        numbers.seconds(found.latency_s),
        _change(less.latency_s, numbers.seconds),
        numbers.speed(found.tokens_per_second),
        _outcome(result, less),
    )


def _cost(usd: float | None) -> str | Cell:
    return Cell("unknown", "dim") if usd is None else numbers.amount(Decimal(repr(usd)))


def _change(value: float | None, form: Any) -> str | Cell:
    """Less is green, more is yellow."""
    if not value:
        return "" if value is None else "="
    sign, style = ("-", "green") if value < 0 else ("+", "yellow")
    return Cell(f"{sign}{form(abs(value))}", style)


def _outcome(result: ReplayResult, less: ReplayDifference) -> str:
    same = ["the same text"] if less.same_text else []
    return ", ".join([result.finish_reason or "", *same]).strip(", ")


def _answers(comparison: ReplayComparison) -> Iterator[Line]:
    """The answers, one below the other."""
    call = comparison.original.call
    original = f"{call.provider}/{call.model}, the original"
    yield from _answer(original, comparison.original.text, "")
    for result in comparison.results:
        if result.error is not None:
            yield from _answer(result.model, result.error.message, STYLES["error"])
        elif result.difference is None or not result.difference.same_text:
            yield from _answer(result.model, result.text, "")
        for change in result.transformations:
            yield [(f"  {change}", "dim")]


def _answer(name: str, text: str | None, style: str) -> Iterator[Line]:
    yield []
    yield [(name, "bold cyan")]
    yield from ([(f"  {line}", style)] for line in (text or "").splitlines())
    if not text:
        yield [("  no text", "dim")]
