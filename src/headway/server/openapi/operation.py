"""What the API's document says about one operation (a method of a path)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from pydantic import BaseModel

from headway.server.openapi.error_examples import PLAIN, STREAM_ERROR, ErrorExample, ErrorFormat
from headway.server.openapi.examples.base import Example
from headway.server.openapi.schemas.base import ErrorReply

JSON = "application/json"
NDJSON = "application/x-ndjson"
EVENTS = "text/event-stream"


class Body(Struct, frozen=True):
    """One media type of a request or response: a value of any of ``models``; in a stream, one value
    for each event."""

    models: tuple[type[BaseModel], ...]
    examples: tuple[Example, ...]
    media_type: str = JSON
    is_list: bool = False
    """The values are the elements of one list."""


def whole_and_stream(whole: Body, event: Body) -> tuple[Body, Body]:
    """The bodies of a reply that comes whole or as a stream, which an error may end."""
    models: tuple[type[BaseModel], ...] = (*event.models, ErrorReply)
    return whole, Body(models, (*event.examples, STREAM_ERROR), EVENTS)


class Parameter(Struct, frozen=True):
    name: str
    location: str
    """``path``, ``query`` or ``header``."""
    description: str
    example: str
    required: bool = True


class Operation(Struct, frozen=True, kw_only=True):
    method: str
    path: str
    id: str
    """Unique; generated clients name their methods after it."""
    tag: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...] = ()
    request: Body | None = None
    form: Body | None = None
    """The request as a form, where it may be one."""
    response: str
    """Describes the response with status 200."""
    responses: tuple[Body, ...]
    """The media types of the response with status 200."""
    headers: Mapping[str, Any] = {}
    """Of the response with status 200, by name, as OpenAPI header objects."""
    errors: tuple[ErrorExample, ...] = ()
    error_format: ErrorFormat = PLAIN
    is_open: bool = False
    """Requires no key, even if the server has keys."""
