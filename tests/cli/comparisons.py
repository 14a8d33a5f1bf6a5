"""Comparisons as the events of a gateway tell them."""

from __future__ import annotations

from typing import Any

from headway.cli.compare_lanes import Comparison

Event = dict[str, Any]


def start(lane: int, model: str, run: int = 0, *, waits: bool = False) -> Event:
    return {
        "type": "start",
        "lane": lane,
        "at_ms": 0.5,
        "model": model,
        "run": run,
        "comparison": "the-comparison",
        "waits": waits,
    }


def chunk(lane: int, at_ms: float, **delta: Any) -> Event:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return {"type": "chunk", "lane": lane, "at_ms": at_ms, "chunk": {"choices": [choice]}}


def done(lane: int, reason: str = "stop", cost: float | None = 0.00002, **metrics: Any) -> Event:
    known = {
        "input_tokens": 6,
        "output_tokens": 26,
        "cost_usd": cost,
        "latency_s": 1.25,
        "time_to_first_token_s": 0.25,
        "inter_token_latency_p50_s": 0.01,
        "inter_token_latency_p95_s": 0.02,
        "tokens_per_second": 20.8,
        "tokens_source": "reported",
        **metrics,
    }
    return {
        "type": "done",
        "lane": lane,
        "at_ms": 1250.0,
        "cost_usd": cost,
        "finish_reason": reason,
        "metrics": known,
    }


def error(lane: int, message: str = "No such model.", status: int = 404) -> Event:
    described = {"message": message, "type": "not_found_error", "code": None, "param": "model"}
    return {"type": "error", "lane": lane, "at_ms": 3.0, "status": status, "error": described}


END = {"type": "end", "at_ms": 1300.0}


def comparison(*events: Event, now: float = 100.0) -> Comparison:
    found = Comparison()
    for event in events:
        found.read(event, now)
    return found


def several_runs(model: str, first: int, *metrics: dict[str, Any]) -> list[Event]:
    """All events of the runs of one model, whose lanes are numbered from ``first``."""
    lanes = list(enumerate(metrics, first))
    starts = [start(lane, model, lane - first) for lane, _ in lanes]
    return [*starts, *(done(lane, **each) for lane, each in lanes)]
