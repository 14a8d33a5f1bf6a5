"""``headway routes``: the routes of a gateway, and how their targets are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from headway.cli import number_formats as numbers
from headway.cli import terminal
from headway.cli.options import DEFAULT_URL, ApiKey, AsJson, Url
from headway.cli.requests import get_json

if TYPE_CHECKING:
    from headway.server.api.routes_route import RouteNow, TargetNow

PATH = "/api/routes"
TIMEOUT_S = 30.0
COLUMNS = (
    "Route", "Target", "State", "Under way", "TTFT p50 / p95", "Tok/s", "Errors", "Keys",
)  # fmt: skip


def routes(as_json: AsJson = False, url: Url = DEFAULT_URL, api_key: ApiKey = None) -> None:
    """List the routes of a gateway, and what it knows of their targets and keys at the moment.

    Of a server with several workers, one answers: they tell each other what is left alone, and
    measure times each for itself.
    """
    answer = get_json(url, api_key, PATH, TIMEOUT_S)
    if as_json:
        return terminal.write_json(answer)
    from headway.server.api.routes_route import RouteStates

    found = msgspec.json.decode(answer, type=RouteStates)
    rows = [row for route in found.data for row in _rows(route)]
    if rows:
        return terminal.write_rows(COLUMNS, rows)
    return terminal.note("no routes are configured; `models` in the configuration has them")


def _rows(route: RouteNow) -> Iterator[tuple[str, ...]]:
    further = (
        ("context", route.on_context_window),
        ("content policy", route.on_content_policy),
        ("copies", () if route.shadow is None else (route.shadow,)),
    )
    for target in route.targets:
        yield (f"{route.name} ({route.strategy})", *_cells(target))
    for name, targets in further:
        for target in targets:
            yield (f"{route.name} ({name})", *_cells(target))


def _cells(target: TargetNow) -> tuple[str, ...]:
    speed = target.streams
    times = ""
    if speed is not None and speed.p50_s is not None:
        times = f"{numbers.seconds(speed.p50_s)} / {numbers.seconds(speed.p95_s)}"
    return (
        target.target,
        _state(target),
        str(target.outstanding) if target.outstanding else "",
        times,
        "" if speed is None else numbers.speed(speed.tokens_per_second),
        f"{target.error_share:.0%}" if target.error_share >= 0.005 else "",
        ", ".join(f"{key.id}: {key.left_alone_s:.0f} s" for key in target.keys
                  if key.is_left_alone),
    )  # fmt: skip


def _state(target: TargetNow) -> str:
    if target.is_being_tried:
        return "being tried"
    if target.left_alone_s:
        return f"left alone for {target.left_alone_s:.0f} s"
    return "next request tries it" if target.state == "half_open" else target.state or ""
