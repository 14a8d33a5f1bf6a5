"""The events of a comparison, each one object in JSON. A chunk, and the error of a lane, are put
together around bytes that are JSON already (``lane.py``)."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from headway.ledger.json_views import CostView
from headway.metering.metrics import Metrics

_encode = msgspec.json.Encoder().encode


class LaneStart(Struct, frozen=True, kw_only=True):
    """One for each lane, before all else."""

    type: Literal["start"] = "start"
    lane: int
    at_ms: float
    model: str
    """As it was asked for."""
    run: int
    """Counts the lanes of one entry of `models` from 0."""
    comparison: str
    """The id of the comparison: its calls have the tag `compare:ID`."""
    waits: bool
    """It starts when another lane is over."""


class LaneDone(Struct, frozen=True, kw_only=True):
    """The end of a lane whose answer is complete. All is as the ledger has it."""

    type: Literal["done"] = "done"
    lane: int
    at_ms: float
    id: str
    """Of the call: `GET /api/logs/{id}` has it."""
    provider: str | None
    model: str | None
    """The model that answered."""
    finish_reason: str | None
    usage: dict[str, Any] | None
    """As in the chunk with the usage."""
    metrics: Metrics
    """As in a reply of the engine route; times have the digits that the ledger keeps."""
    cost: CostView
    """Of the attempt that answered, with its lines."""
    cost_usd: float | None
    """Of all attempts."""
    cost_usd_exact: str | None
    transformations: tuple[str, ...]
    """What the request lost or changed on its way to this provider."""
    waited_ms: float
    """From the request to the start of the lane."""


class ComparisonEnd(Struct, frozen=True, kw_only=True):
    """The last event: all lanes are over."""

    type: Literal["end"] = "end"
    at_ms: float
    """Milliseconds since the request."""


def encode_event(event: Struct) -> bytes:
    return b"data: " + _encode(event) + b"\n\n"


def milliseconds(seconds: float) -> float:
    return round(seconds * 1e3, 2)
