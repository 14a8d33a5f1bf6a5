"""The base classes of all shapes, and the shape of every error."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class MadeShape(Shape):
    """The base of shapes made from values. Pydantic would look for the source of each, to take
    descriptions from it, and go through all loaded modules for every frame of the call."""

    model_config = ConfigDict(use_attribute_docstrings=False)


class OpenShape(Shape):
    """A shape whose further fields are passed on unchanged."""

    model_config = ConfigDict(extra="allow")


class AnyBody(OpenShape):
    """Any JSON object."""


class ErrorDetail(Shape):
    """What went wrong and what to do about it; never a stack trace, never a key."""

    type: str
    """Stable; can be the label of a metric."""
    message: str
    """For people: names the field and what to do."""
    provider: str | None
    """The configured name of the provider concerned."""
    param: str | None
    """The field concerned."""
    code: str | None
    """A more specific reason; the provider's own if it gave one."""
    request_id: str | None
    """The id of the request in the log; quote it when you ask for help."""
    retry_after_s: float | None
    """Seconds to wait before another attempt."""


class ErrorReply(Shape):
    """Every error, on every route. In a stream that has begun, the same object is the last event,
    in the framing of the stream."""

    error: ErrorDetail
