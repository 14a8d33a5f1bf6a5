"""What all shapes of the HTTP API share, and the shape of every failure."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class OpenShape(Shape):
    """A shape whose further fields have a meaning: they are passed on verbatim."""

    model_config = ConfigDict(extra="allow")


class ErrorDetail(Shape):
    """What went wrong and what to do about it; never a stack trace, never a key."""

    type: str
    """Stable, fit for a metric's label."""
    message: str
    """For people: names the field and the remedy."""
    provider: str | None
    """The configured name of the provider concerned."""
    param: str | None
    """The field concerned."""
    code: str | None
    """A finer reason, the provider's own where it gave one."""
    request_id: str | None
    """Names the request in the log; quote it when you ask for help."""
    retry_after_s: float | None
    """Seconds to wait before another attempt."""


class ErrorReply(Shape):
    """Every failure, on every route. In a stream that has begun, the same object is the last
    event, in the stream's own framing."""

    error: ErrorDetail
