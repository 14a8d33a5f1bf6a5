"""A kept request, run again with other models."""

from __future__ import annotations

from typing import Any

from pydantic import Field, create_model

from headway.server import replay
from headway.server.openapi.schemas.base import MadeShape, Shape
from headway.server.openapi.schemas.from_structs import shape_of
from headway.server.openapi.schemas.metrics import Metrics

_RESULT = shape_of(replay.ReplayResult)
_fields: dict[str, Any] = {
    name: (one.annotation, one) for name, one in _RESULT.model_fields.items()
}
_fields["metrics"] = (
    Metrics | None,
    Field(description="As in a reply of the engine route: tokens, cost, times."),
)
ReplayResult: Any = create_model(
    "ReplayResult", __base__=MadeShape, __doc__=_RESULT.__doc__, **_fields
)
ReplayedCall: Any = shape_of(replay.ReplayedCall)
ReplayComparison: Any = create_model(
    "ReplayComparison",
    __base__=MadeShape,
    __doc__="The reply to a replay.",
    id=(str, Field(description="Of the call that is replayed.")),
    original=(ReplayedCall, ...),
    results=(list[ReplayResult], Field(description="In the order of the models asked for.")),
)


class ReplayRequest(Shape):
    """Which models, and what of the request is replaced."""

    models: list[str]
    """1 to 20 names, each `provider/model` or another name that the server knows."""
    parameters: dict[str, Any] | None = None
    """Fields that replace those of the request, in its own wire format; null removes one."""
