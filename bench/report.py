"""The results of ``bench.compare``, as a value and as tables."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from bench.scaling import Growth, Scaling
from bench.startup import Startup
from bench.streams import Count
from bench.table import number, render
from bench.wrk import Load


class RemoteRounds(Struct, frozen=True):
    """The rounds with the provider behind TLS and a delay; empty where a gateway was not
    measured."""

    relay: list[Load]
    engine: list[Load]
    streams: Count | None


class Rounds(Struct, frozen=True):
    """Of one gateway. ``start_s`` is from the start of its process to its first answer; the loads
    are one a round: 32 connections, one connection, and the engine route with 32."""

    start_s: float
    idle_mib: float
    relay: list[Load]
    single: list[Load]
    engine: list[Load]
    streams: Count | None
    remote: RemoteRounds

    @property
    def failed(self) -> int:
        loads = [*self.relay, *self.single, *self.engine, *self.remote.relay, *self.remote.engine]
        counts = [count for count in (self.streams, self.remote.streams) if count]
        return sum(load.failed for load in loads) + sum(count.failed for count in counts)


class Result(Struct, frozen=True):
    """``skipped`` is the reason why a gateway was not measured."""

    command: list[str]
    machine: dict[str, Any]
    seconds: float
    limit: str
    gateways: dict[str, Rounds]
    skipped: dict[str, str]
    startup: Startup | None
    growth: Growth | None
    scaling: Scaling | None


Figure = Callable[[Load], float]


def median(loads: list[Load], figure: Figure) -> float | None:
    return statistics.median(map(figure, loads)) if loads else None


def ratio(loads: list[Load], limits: list[Load], figure: Figure) -> float | None:
    """The median of the rounds' own ratios; None where there is nothing to compare with."""
    pairs = [(figure(load), figure(limit)) for load, limit in zip(loads, limits, strict=False)]
    return statistics.median(ours / theirs for ours, theirs in pairs) if pairs else None


def report(result: Result) -> str:
    parts = [_header(result), _costs(result), _loads(result), _streams(result)]
    parts += [f"{name} was left out: {why}\n" for name, why in result.skipped.items()]
    if rows := _headway(result):
        parts.append(render([("headway", ""), *rows]))
    return "\n".join(parts)


def _header(result: Result) -> str:
    machine = result.machine
    return (
        f"{' '.join(result.command)}\n"
        f"{machine['cores']} cores, {machine['cpu']}, Python {machine['python']}; load average "
        f"{machine['load']} before, {machine['load_at_end']} after; {result.seconds:.0f} s\n"
    )


def _loads(result: Result) -> str:
    head = ("", "relay/s", "/nginx", "p99 ms", "p50 us, one", "/nginx", "engine/s", "/nginx relay")
    rows: list[tuple[str, ...]] = [head + ("start s", "idle MiB", "failed")]
    best = result.gateways.get(result.limit)
    limits, singles = (best.relay, best.single) if best else ([], [])
    for name, got in result.gateways.items():
        p99 = median(got.relay, lambda load: load.p99_us / 1e3)
        rows.append(
            (
                name,
                number(median(got.relay, lambda load: load.rps)),
                number(ratio(got.relay, limits, lambda load: load.rps), 3),
                number(p99, 2),
                number(median(got.single, lambda load: load.p50_us)),
                number(ratio(got.single, singles, lambda load: load.p50_us), 2),
                number(median(got.engine, lambda load: load.rps)),
                number(ratio(got.engine, limits, lambda load: load.rps), 3),
                number(got.start_s, 2),
                number(got.idle_mib, 1),
                str(got.failed),
            )
        )
    return render(rows)


def _costs(result: Result) -> str:
    """CPU time carries between a quiet machine and a busy one; requests a second do not."""
    head = ("CPU us, and over nginx", "relay", "", "engine", "", "event", "")
    tls = ("TLS: relay", "", "engine", "", "event", "")
    rows: list[tuple[str, ...]] = [head + tls]
    best = result.gateways.get(result.limit)
    for name, got in result.gateways.items():
        near = _cpu_cells(got, best) if best else _cpu_cells(got, got)
        far = _cpu_cells(got.remote, best.remote if best else got.remote)
        rows.append((name, *near, *far))
    return render(rows)


def _cpu_cells(got: Rounds | RemoteRounds, best: Rounds | RemoteRounds) -> list[str]:
    """CPU microseconds of a relayed request, an engine request and an event, each followed by its
    ratio to nginx; the engine route's is to nginx's relayed request."""
    event = None if got.streams is None else got.streams.cpu_us_per_event
    least = None if best.streams is None else best.streams.cpu_us_per_event
    return [
        number(median(got.relay, cpu_us), 1),
        number(ratio(got.relay, best.relay, cpu_us), 2),
        number(median(got.engine, cpu_us), 1),
        number(ratio(got.engine, best.relay, cpu_us), 2),
        number(event, 1),
        number(event / least if event and least else None, 2),
    ]


def cpu_us(load: Load) -> float:
    return load.cpu_us or float("nan")


def _streams(result: Result) -> str:
    head = ("", "streams", "CPU us/event", "/nginx", "TTFT p50 ms", "- nginx", "TTFT p99 ms")
    rows: list[tuple[str, ...]] = [head + ("KiB/stream",)]
    best = result.gateways.get(result.limit)
    limit = best.streams if best else None
    for name, got in result.gateways.items():
        count = got.streams
        if count is None:
            continue
        cpu, ttft = count.cpu_us_per_event, count.ttft_p50_ms
        least, soonest = (limit.cpu_us_per_event, limit.ttft_p50_ms) if limit else (None, None)
        rows.append(
            (
                name,
                str(count.streams),
                number(cpu, 1),
                number(cpu / least if cpu and least else None, 2),
                number(ttft, 2),
                number(None if ttft is None or soonest is None else ttft - soonest, 2),
                number(count.ttft_p99_ms, 2),
                number(count.rss_per_stream_kib, 1),
            )
        )
    return render(rows)


def _headway(result: Result) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    if first := result.startup:
        rows += [
            ("import headway, ms", number(first.import_ms, 1)),
            ("from headway import Client, ms", number(first.import_client_ms, 1)),
            ("listening after headway serve, s", number(first.listening_s, 3)),
            ("/health answered, s", number(first.answering_s, 3)),
        ]
    if grown := result.growth:
        head = f"growth over {grown.requests:,} requests after warm-up, MiB"
        rows += [
            (head, number(grown.mib, 2)),
            ("resident after them, MiB", number(grown.end_mib, 1)),
        ]
    if scaled := result.scaling:
        rows += [
            ("2 workers over 1, requests/s", number(scaled.throughput, 2)),
            ("2 workers over 1, work a CPU second", number(scaled.capacity, 2)),
            ("busiest of 2 workers, share of work", number(scaled.two.busiest, 2)),
        ]
    return rows
