"""``headway compare-targets``: which of a route's targets is cheaper, faster or better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headway.cli import terminal
from headway.cli.errors import usage_error
from headway.cli.filter_options import read_query
from headway.cli.ledger_access import Ledger, use_ledger
from headway.cli.options import ConfigPath, RecordsAsJson

if TYPE_CHECKING:
    from headway.ledger.comparison import TargetComparison

DEFAULT_SINCE = "30d"


def compare_targets(
    route: Annotated[str, typer.Argument(metavar="ROUTE", help="The name of a route.")],
    metric: Annotated[
        str,
        typer.Option(
            "--metric",
            metavar="NAME",
            help="cost, latency, time_to_first_token, tokens_per_second or feedback.",
        ),
    ] = "cost",
    targets: Annotated[
        str | None,
        typer.Option(
            "--targets",
            metavar="NAMES",
            help="Only these, separated by commas; the others are compared with the first one.",
        ),
    ] = None,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="Calls since then: 24h or 7d ago.")
    ] = DEFAULT_SINCE,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Calls before then.")
    ] = None,
    as_json: RecordsAsJson = False,
    config: ConfigPath = None,
) -> None:
    """Compare the targets of a route: by cost, times, or the scores that were given.

    What is said holds whenever you look, as often as you like: a difference that is not sure yet is
    not told as one. Copies (`shadow`) are compared with the calls that they are copies of.

    Examples:

        headway compare-targets smart
        headway compare-targets smart --metric time_to_first_token --since 7d
        headway compare-targets smart --targets openai/gpt-5,groq/llama-3.3-70b --json
    """
    from headway.ledger import comparison

    query = read_query([("since", since)], [("until", until)] if until else ())
    if metric not in comparison.METRICS:
        known = f"{', '.join(comparison.METRICS[:-1])} or {comparison.METRICS[-1]}"
        raise usage_error(f"--metric is wrong: it takes {known}")
    chosen = comparison.METRICS[comparison.METRICS.index(metric)]
    names = [each.strip() for each in (targets or "").split(",") if each.strip()]

    async def work(ledger: Ledger) -> None:
        found = await comparison.compare_targets(ledger.store, route, chosen, query.where, names)
        if as_json:
            from headway.ledger import json_views

            return terminal.write_json(json_views.encode(found))
        return _write(found)

    use_ledger(config, work)


def _write(found: TargetComparison) -> None:
    rows = [
        (each.target, f"{each.requests:,}", "" if each.mean is None else f"{each.mean:.6g}")
        for each in found.targets
    ]
    if rows:
        terminal.write_rows(("Target", "Requests", f"Mean ({found.unit})"), rows)
    for each in found.targets:
        if each.result is not None:
            terminal.write(f"{each.summary}\n")
    if found.note:
        terminal.note(found.note)
