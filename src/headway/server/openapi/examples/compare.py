"""Several models at once: what is asked, and each kind of event."""

from __future__ import annotations

from typing import Any

import msgspec

from headway.metering.metrics import Metrics, PriceOrigin
from headway.server.compare.events import ComparisonEnd, LaneDone, LaneStart
from headway.server.openapi.examples.base import HELLO, ID, Example
from headway.server.openapi.examples.ledger import COST
from headway.server.openapi.examples.openai import OPENAI_CHUNKS

_COMPARISON = "5d0a52ce-7e0f-4a0c-93f5-7a6f3c8d1b1e"
_LARGE, _SMALL = "azure-eu/gpt-4.1", "team-b/small-model"
_MESSAGES = [{"role": "user", "content": HELLO}]


def _json(value: object) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


REQUESTS = (
    Example("Two models", {"models": [_LARGE, _SMALL], "messages": _MESSAGES}),
    Example(
        "A model at two temperatures, three times each",
        {
            "models": [
                {"model": _LARGE, "temperature": 0},
                {"model": _LARGE, "temperature": 1},
            ],
            "runs": 3,
            "messages": _MESSAGES,
            "max_tokens": 200,
        },
    ),
)
_START = LaneStart(lane=0, at_ms=0.21, model=_LARGE, run=0, comparison=_COMPARISON, waits=False)
_DONE = LaneDone(
    lane=0,
    at_ms=1250.38,
    id=ID,
    provider="azure-eu",
    model="gpt-4.1-2025-04-14",
    finish_reason="stop",
    usage={"prompt_tokens": 6, "completion_tokens": 26, "total_tokens": 32},
    metrics=Metrics(
        input_tokens=6,
        output_tokens=26,
        total_tokens=32,
        cost_usd=0.00022,
        latency_s=1.25,
        time_to_first_token_s=0.5625,
        inter_token_latency_s=0.03125,
        tokens_per_second=20.8,
        inter_token_latency_p50_s=0.03125,
        inter_token_latency_p95_s=0.046875,
        inter_token_latency_max_s=0.046875,
        time_to_first_byte_s=0.5,
        gateway_overhead_s=0.0004,
        tokens_source="reported",
        price=PriceOrigin("configured", "2026-11-01", "gpt-4.1"),
        cost_source="computed",
        model="gpt-4.1",
        deployment="gpt-4.1-2025-04-14",
    ),
    cost=COST,
    cost_usd=0.00022,
    cost_usd_exact="0.00022",
    transformations=(),
    waited_ms=0.34,
)
_ERROR = {
    "lane": 1,
    "type": "error",
    "at_ms": 203.11,
    "error": {
        "type": "upstream_rate_limited",
        "message": "team-b: rate limit reached",
        "provider": "team-b",
        "param": None,
        "code": "rate_limit_error",
        "request_id": "trace-72f34d3b",
        "retry_after_s": 2.0,
    },
    "status": 429,
    "id": "0ad9dd0a-a952-4609-a887-2e067eb14261",
    "waited_ms": 0.41,
}
EVENTS = (
    Example("The start of a lane", _json(_START)),
    Example(
        "A piece of an answer",
        {"lane": 0, "type": "chunk", "at_ms": 562.84, "chunk": OPENAI_CHUNKS[0].value},
    ),
    Example("The end of a lane", _json(_DONE)),
    Example("A lane that failed", _ERROR),
    Example("The end", _json(ComparisonEnd(at_ms=1250.52))),
)
