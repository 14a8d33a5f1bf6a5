"""Calls, usage and costs: what the ledger's own functions make of two records."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from headway.ledger import json_views, usage_views, value_counts
from headway.ledger.store import Call, Conversation, Filter, LogRow, Session, Usage, ValueCounts
from headway.metering.histogram import Histogram
from headway.record import Feedback, LineItem, Record
from headway.server.api.feedback_route import feedback_line
from headway.server.api.generation_route import generation_of
from headway.server.openapi.examples.base import ANSWER, HELLO, ID, PROVIDER, Example

_NOON = 1_796_040_000.0
_CALL = Record(
    id=ID,
    call_id=ID,
    request_id="trace-72f34d3b",
    timestamp=_NOON + 1.25,
    started=_NOON,
    route="/v1/chat/completions",
    dialect="openai_chat",
    outcome="ok",
    provider="azure-eu",
    kind=PROVIDER,
    model="gpt-4.1",
    deployment="gpt-4.1-2025-04-14",
    stream=True,
    session_id="session-1",
    user="user-7",
    key_id="2bb80d53",
    tags=("team:search",),
    status=200,
    upstream_status=200,
    finish_reason="stop",
    input_tokens=6,
    output_tokens=26,
    tokens_source="reported",
    cost_usd="0.000220",
    cost_source="computed",
    price_source="configured",
    price_date="2026-11-01",
    time_to_sent_s=0.0625,
    connect_s=0.0615234375,
    time_to_first_byte_s=0.5,
    time_to_first_token_s=0.5625,
    latency_s=1.25,
    inter_token_latency_s=0.03125,
    tokens_per_second=20.8,
    gateway_overhead_s=0.0004,
    content_events=23,
    line_items=(LineItem("input", "6", "0.000002"), LineItem("output", "26", "0.000008")),
    gap_counts=((869, 22),),
    content="full",
)
_PRICED = msgspec.structs.replace(_CALL, cost_usd="0.000231", cost_source="provider",
                                  cost_computed_usd="0.000220")  # fmt: skip
_ROW = LogRow(_CALL, Decimal("0.000220"))
_SESSION = Session(
    "session-1", 1, 0, _NOON, _NOON + 1.25, 6, 26, Decimal("0.000220"), ("gpt-4.1",), "2bb80d53",
    "user-7",
)  # fmt: skip
_CONTENT = Conversation(
    ID,
    "openai_chat",
    "full",
    (msgspec.Raw(msgspec.json.encode({"role": "user", "content": HELLO})),),
    (msgspec.Raw(msgspec.json.encode({"role": "assistant", "content": ANSWER})),),
    {"temperature": msgspec.Raw(b"0.2")},
    msgspec.Raw(b"null"),
)
_FEEDBACK = Feedback(id="f7d0", call_id=ID, timestamp=_NOON + 60, score=1.0, label="right")


def _plain(view: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(view))


def _usage() -> Usage:
    latency = Histogram({})
    latency.add(1.25)
    return Usage(
        group={"model": "gpt-4.1", "day": "2026-11-30"},
        calls=1,
        attempts=1,
        input_tokens=6,
        output_tokens=26,
        cost_usd=Decimal("0.000220"),
        histograms={"latency_s": latency},
    )


LINE = _plain(json_views.log_line(_ROW))
COST = json_views.cost_view(_CALL)
LOGS = (Example("A page", {"data": [LINE], "next_cursor": "djEuMTc5NjA0MDAwMQ"}),)
EVENT = (Example("A call", LINE),)
CALL = (
    Example(
        "A call whose messages are kept",
        _plain(json_views.call_details(Call((_CALL,), (_FEEDBACK,)), _CONTENT)),
    ),
)
_SESSION_ROW = _plain(json_views.session_view(_SESSION))
SESSIONS = (Example("A page", {"data": [_SESSION_ROW], "next_cursor": None}),)
SESSION = (
    Example(
        "A session",
        {
            "session": _SESSION_ROW,
            "data": [LINE],
            "next_cursor": None,
            "conversation": _plain(json_views.conversation_view(_CONTENT)),
        },
    ),
)
_PERIOD = usage_views.period(
    [_usage()], [_usage()], Filter(since=_NOON), {("gpt-4.1", "2026-11-30"): 0}
)
_REPORT = usage_views.UsageReport(
    **msgspec.structs.asdict(_PERIOD), by=("model", "day"), previous=None
)
USAGE = (Example("By model and day", _plain(_REPORT)),)
FACETS = (
    Example(
        "Of one call",
        _plain(
            value_counts.facets_view(
                ValueCounts(
                    calls=1,
                    is_all=True,
                    since=_NOON,
                    counts={"model": {"gpt-4.1": 1}, "status": {"200": 1}, "user": {"user-7": 1}},
                )
            )
        ),
    ),
)
_DIFFERENCE = json_views.reconciliation(_PRICED)
RECONCILED = (
    Example(
        "A difference",
        _plain(
            {
                "data": [_DIFFERENCE],
                "total": json_views.reconciliation_total([_DIFFERENCE]),
                "note": None,
            }
        ),
    ),
)
RECORDS = (Example("A record", _plain(_CALL)),)
FEEDBACK = (Example("A score", {"id": ID, "score": 1.0, "label": "right"}),)
FEEDBACK_PAGE = (
    Example(
        "A page",
        {"data": [_plain(feedback_line(_FEEDBACK, Call((_CALL,))))], "next_cursor": None},
    ),
)
FEEDBACK_REPLY = (
    Example(
        "Taken",
        {"id": "f7d0", "call_id": ID, "time": json_views.iso_time(_FEEDBACK.timestamp)},
    ),
)
GENERATION = (Example("A reply", {"data": _plain(generation_of(Call((_CALL,))))}),)
