"""A kept request, run again with other models."""

from __future__ import annotations

import msgspec

from headway.ledger.json_views import ErrorView
from headway.metering.metrics import Metrics
from headway.server.openapi.examples.base import ANSWER, ID, Example
from headway.server.openapi.examples.ledger import LINE
from headway.server.replay import (
    ReplayComparison,
    ReplayDifference,
    ReplayedCall,
    ReplayResult,
)

_SMALL = "azure-eu/gpt-4.1-mini"
_ANSWERED = ReplayResult(
    model=_SMALL,
    id="0ad9dd0a-a952-4609-a887-2e067eb14261",
    text=ANSWER,
    output=[{"role": "assistant", "content": ANSWER}],
    finish_reason="stop",
    metrics=Metrics(
        input_tokens=6,
        output_tokens=26,
        total_tokens=32,
        cost_usd=0.000044,
        latency_s=0.75,
        time_to_first_token_s=0.25,
        tokens_per_second=34.67,
        tokens_source="reported",
        cost_source="computed",
        model="gpt-4.1-mini",
    ),
    difference=ReplayDifference(
        cost_usd=-0.000176,
        latency_s=-0.5,
        time_to_first_token_s=-0.3125,
        input_tokens=0,
        output_tokens=0,
        same_text=True,
    ),
)
_FAILED = ReplayResult(
    model="nobody/model",
    status=404,
    error=ErrorView("not_found_error", None, "No provider is called 'nobody'."),
)


def _comparison() -> object:
    original = ReplayedCall(
        LINE,  # as JSON already
        ANSWER,
        (msgspec.Raw(msgspec.json.encode({"role": "assistant", "content": ANSWER})),),
    )
    whole = ReplayComparison(ID, original, [_ANSWERED, _FAILED])
    return msgspec.json.decode(msgspec.json.encode(whole))


REQUEST = (
    Example(
        "Two models, cooler",
        {"models": [_SMALL, "nobody/model"], "parameters": {"temperature": 0}},
    ),
)
REPLY = (Example("An answer, and an error", _comparison()),)
