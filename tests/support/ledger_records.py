"""Records of calls, as the pipeline writes them, for tests of what is read from them."""

from __future__ import annotations

from typing import Any

from headway.record import LineItem, Record

NOON = 1_796_040_000.0
"""2026-11-30T12:00:00Z."""
ITEMS = (
    LineItem("input", "800", "0.000002"),
    LineItem("cache_read", "200", "0.0000005"),
    LineItem("output", "100", "0.000008"),
)
COST = "0.0025"
"""What ``ITEMS`` add up to."""


def record(number: int = 1, **changes: Any) -> Record:
    """The record of a call that succeeded, ``number`` seconds after noon."""
    name = f"00000000-0000-4000-8000-{number:012d}"
    fields: dict[str, Any] = {
        "id": name,
        "call_id": name,
        "request_id": f"request-{number}",
        "timestamp": NOON + number,
        "started": NOON + number - 2.5,
        "route": "/v1/chat/completions",
        "dialect": "openai_chat",
        "outcome": "ok",
        "provider": "azure-eu",
        "kind": "azure",
        "model": "gpt-4.1",
        "deployment": "gpt-4.1-2025-04-14",
        "stream": True,
        "session_id": None,
        "key_id": "anonymous",
        "status": 200,
        "finish_reason": "stop",
        "upstream_status": 200,
        "input_tokens": 1000,
        "cache_read_tokens": 200,
        "output_tokens": 100,
        "tokens_source": "reported",
        "cost_usd": COST,
        "cost_source": "computed",
        "price_source": "configured",
        "price_date": "2026-11-01",
        "latency_s": 2.0,
        "time_to_sent_s": 0.25,
        "time_to_first_byte_s": 0.5,
        "time_to_first_token_s": 0.75,
        "inter_token_latency_s": 0.015625,
        "tokens_per_second": 50.0,
        "gateway_overhead_s": 0.0005,
        "content_events": 97,
        "line_items": ITEMS,
        "gap_counts": ((-1, 2), (800, 94)),
    }
    return Record(**{**fields, **changes})


def failed(number: int = 1, **changes: Any) -> Record:
    """The record of an attempt that the provider answered with an error."""
    fields: dict[str, Any] = {
        "outcome": "error",
        "status": 502,
        "upstream_status": 500,
        "error_type": "provider_error",
        "error_code": "overloaded",
        "error_message": "The provider failed.",
        "finish_reason": None,
        "input_tokens": None,
        "cache_read_tokens": None,
        "output_tokens": None,
        "tokens_source": None,
        "cost_usd": None,
        "cost_source": None,
        "price_source": None,
        "price_date": None,
        "time_to_first_token_s": None,
        "inter_token_latency_s": None,
        "tokens_per_second": None,
        "content_events": 0,
        "line_items": (),
        "gap_counts": (),
    }
    return record(number, **{**fields, **changes})
