"""Several models at once: the request, and the events of its stream."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, create_model

from headway.server.compare import events
from headway.server.openapi.schemas.base import ErrorDetail, MadeShape, OpenShape, Shape
from headway.server.openapi.schemas.chat import Message
from headway.server.openapi.schemas.from_structs import shape_of
from headway.server.openapi.schemas.metrics import Metrics
from headway.server.openapi.schemas.openai import OpenAIChunk


class ComparedModel(OpenShape):
    """A model, and the fields that replace those of the body for it; null removes one."""

    model: str


class CompareRequest(OpenShape):
    """A request of `POST /v1/chat/completions`, with `models` in place of `model`: every field of
    [OpenAIRequest](#openairequest) may be there, and goes to all models."""

    models: list[str | ComparedModel]
    """1 to 20 of them. A name is `provider/model`, or another one that the server knows."""
    runs: int | None = 1
    """How many times each of them is asked, 1 to 10."""
    messages: list[Message] | None = None
    """May be absent where each of `models` has its own."""
    stream: Literal[True] | None = None
    """There is no other reply than a stream."""


class LaneChunk(Shape):
    """A piece of an answer."""

    lane: int
    type: Literal["chunk"]
    at_ms: float
    """Milliseconds since the start of the lane."""
    chunk: OpenAIChunk
    """As `POST /v1/chat/completions` streams it, with usage."""


class LaneError(Shape):
    """The end of a lane that failed. The other lanes go on."""

    lane: int
    type: Literal["error"]
    at_ms: float
    """Milliseconds since the start of the lane."""
    error: ErrorDetail
    status: int
    """The HTTP status that `POST /v1/chat/completions` would have."""
    id: str | None
    """Of the call: `GET /api/logs/{id}` has it. Null without a record."""
    waited_ms: float
    """From the request to the start of the lane."""


LaneStart: Any = shape_of(events.LaneStart)
ComparisonEnd: Any = shape_of(events.ComparisonEnd)
_DONE = shape_of(events.LaneDone)
_fields: dict[str, Any] = {name: (one.annotation, one) for name, one in _DONE.model_fields.items()}
_fields["metrics"] = (Metrics, Field(description=_DONE.model_fields["metrics"].description))
LaneDone: Any = create_model("LaneDone", __base__=MadeShape, __doc__=_DONE.__doc__, **_fields)
