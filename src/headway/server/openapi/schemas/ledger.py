"""Calls, sessions, usage and costs. The shapes of what is sent are made from the ledger's own."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, RootModel, create_model

from headway.ledger import comparison, json_views, usage_views, value_counts
from headway.record import Record
from headway.server.api import feedback_route, routes_route
from headway.server.openapi.schemas.base import MadeShape, OpenShape, Shape
from headway.server.openapi.schemas.from_structs import shape_of

LogLine: Any = shape_of(json_views.LogLine)
ErrorView: Any = shape_of(json_views.ErrorView)
CallDetails: Any = shape_of(json_views.CallDetails)
SessionView: Any = shape_of(json_views.SessionView)
ConversationView: Any = shape_of(json_views.ConversationView)
Reconciliation: Any = shape_of(json_views.Reconciliation)
ReconciliationTotal: Any = shape_of(json_views.ReconciliationTotal)
TargetComparison: Any = shape_of(comparison.TargetComparison)
ComparedTarget: Any = shape_of(comparison.ComparedTarget)
RouteStates: Any = shape_of(routes_route.RouteStates)
UsageReport: Any = shape_of(usage_views.UsageReport)
LogFacets: Any = shape_of(value_counts.LogFacets)


class RecordTable(RootModel[str]):
    """CSV with the fields of a record; lists and objects are JSON."""


class ParquetFile(RootModel[bytes]):
    """Parquet with the columns that docs/ledger.md lists."""


RecordLine: Any = create_model("RecordLine", __base__=shape_of(Record), __doc__="One attempt.")

_CURSOR = "Where the next page begins, to send as `cursor`; null on the last page."


def _page(name: str, doc: str, row: Any, **further: Any) -> Any:
    fields: dict[str, Any] = {
        "data": (list[row], ...),
        "next_cursor": (str | None, Field(description=_CURSOR)),
    }
    return create_model(name, __base__=MadeShape, __doc__=doc, **{**further, **fields})


LogPage = _page("LogPage", "Calls, the newest first.", LogLine)
FeedbackPage = _page(
    "FeedbackPage", "Feedback, the newest first.", shape_of(feedback_route.FeedbackLine)
)
SessionPage = _page("SessionPage", "Sessions, the most recent first.", SessionView)
SessionDetails = _page(
    "SessionDetails",
    "One session. `data` are its newest calls in the order in which they ended; `next_cursor` "
    "leads to earlier ones.",
    LogLine,
    session=(SessionView, ...),
    conversation=(
        ConversationView | None,
        Field(description="The messages of the last call whose content is kept."),
    ),
)
Reconciled = create_model(
    "Reconciled",
    __base__=MadeShape,
    __doc__="The provider's figures beside the gateway's computation, the largest difference "
    "first.",
    data=(list[Reconciliation], ...),
    total=(ReconciliationTotal, Field(description="Of `data`.")),
    note=(str | None, Field(description="Says so where there may be more.")),
)


class FeedbackRequest(Shape):
    """What somebody thinks of a reply. One of `score`, `label` and `comment` is needed."""

    id: str
    """The `id` of the reply, or the `x-request-id` of its request."""
    score: float | None = None
    """Any scale, such as 1 for good and 0 for bad."""
    label: str | None = None
    """A word, such as `wrong`; at most 200 characters."""
    comment: str | None = None
    """At most 10,000 characters."""


class FeedbackReply(Shape):
    id: str
    """The id of the feedback."""
    call_id: str
    time: str
    """ISO 8601, in UTC."""


class Generation(OpenShape):
    """What clients of OpenRouter read; there are more fields, as its API has them. Times are in
    milliseconds."""

    id: str
    """The id of the reply."""
    model: str
    total_cost: float
    """US dollars, of all attempts; 0 where it is not known."""
    usage: float
    """The same."""
    created_at: str
    streamed: bool
    cancelled: bool
    provider_name: str | None
    latency: int | None
    """Until the first token."""
    generation_time: int | None
    """Until the end."""
    finish_reason: str | None
    tokens_prompt: int | None
    tokens_completion: int | None
    native_tokens_prompt: int | None
    native_tokens_completion: int | None
    native_tokens_reasoning: int | None
    native_tokens_cached: int | None
    is_byok: Literal[False]


class GenerationReply(Shape):
    data: Generation
