"""A provider's own API, for requests that are passed through to it as they are: how the gateway
authenticates them, and which of the responses it can read.

Rules as for adapters: pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct

from headway.providers.http_headers import Pairs
from headway.providers.model_lists import bearer
from headway.types import Target, Usage


class ReadableRoute(Struct, frozen=True):
    """A route of the API whose responses an adapter can read."""

    path: str
    """A regular expression for the end of the path. Its group ``model``, if it has one, is the
    model that the path names."""
    kind: str | None = None
    """The kind whose adapter reads the response. None: the provider's own."""
    is_embeddings: bool = False


class SocketReport(Struct, frozen=True):
    """What one message of a WebSocket says about its cost."""

    model: str | None = None
    usage: Usage | None = None
    """Of one response: a session has several."""


class SocketMessage(Struct, frozen=True):
    """What one message of a WebSocket says of a message of the conversation."""

    id: str
    message: Mapping[str, Any] | None
    """Fields of it, in OpenAI's chat format; those that are None are not known yet. Without any the
    conversation has lost it."""


class NativeApi(Struct, frozen=True):
    """How requests to a provider's own API are made and read."""

    headers: Callable[[Target], Pairs] = bearer
    """The headers that authenticate a request."""
    base_url: Callable[[Target], str] = lambda target: target.base_url
    """The base URL of all paths. Raises InvalidField or RequestError where none is known."""
    unversioned: tuple[str, ...] = ()
    """First segments of paths that are beside the version at the end of the base URL, not below
    it."""
    defaults: Pairs = ()
    """Headers that are added where the client sends none of the name."""
    link_headers: frozenset[bytes] = frozenset((b"location", b"content-location"))
    """Headers of a response that have a URL of the API, which a client would call without the
    gateway."""
    routes: tuple[ReadableRoute, ...] = ()
    realtime_path: str | None = None
    """The path of a copy of OpenAI's Realtime API. None: there is none."""
    read_message: Callable[[bytes], SocketReport | None] | None = None
    """Reads a text message that the provider sends over a WebSocket. None for a message that says
    nothing about the cost. None: the provider has no WebSocket that can be read."""
    read_conversation: Callable[[bytes], Sequence[SocketMessage]] | None = None
    """What such a message says of the conversation. None: that is not read."""


def find_route(api: NativeApi, path: str) -> tuple[ReadableRoute, str | None] | None:
    """The route of ``path``, which has no query, and the model that it names."""
    for route in api.routes:
        found = _compiled(route.path).search(path)
        if found is not None:
            return route, found.groupdict().get("model")
    return None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(f"(?:{pattern})\\Z")
