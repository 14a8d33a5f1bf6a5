"""Logs and sessions as clients of LLMstudio's tracker send and read them."""

from __future__ import annotations

from typing import Any

from pydantic import RootModel

from headway.server.openapi.schemas.base import OpenShape, Shape

Object = dict[str, Any]


class TrackedLog(OpenShape):
    """A call that was made without this gateway. Further fields are ignored."""

    chat_input: str | None = None
    chat_output: str | None = None
    session_id: str | None = None
    context: list[Object] | None = None
    """The messages of the request; without them `chat_input` is the only one."""
    provider: str | None = None
    model: str | None = None
    deployment: str | None = None
    parameters: Object | None = None
    metrics: Object | None = None
    """Tokens, cost and times as LLMstudio measures them: `input_tokens`, `output_tokens`,
    `cost_usd`, `latency_s` and so on."""
    extras: Object | None = None


class TrackedLogReply(Shape):
    """A log. Texts are null where they are not kept."""

    chat_input: str | None
    chat_output: str | None
    session_id: str | None
    context: list[Any] | None
    provider: str | None
    model: str | None
    deployment: str | None
    parameters: Object
    metrics: Object
    extras: Object | None
    log_id: int
    """Microseconds since 1970 at the end of the call."""
    created_at: str
    """ISO 8601, in UTC."""


class TrackedSession(Shape):
    """An entry of a session."""

    session_id: str
    chat_history: list[Object] | None = None
    extras: Object | None = None


class TrackedSessionReply(Shape):
    session_id: str | None
    chat_history: list[Any]
    """Empty where messages are not kept."""
    extras: Object | None
    message_id: int
    """Microseconds since 1970."""
    created_at: str
    updated_at: str


class Extras(OpenShape):
    """Any object."""


class ExportedRow(OpenShape):
    """One row: names and values."""


class ExportedTable(RootModel[str]):
    """Lines of values with semicolons between; the first has the names."""
