"""OpenAI's Realtime API over a WebSocket (platform.openai.com/docs/guides/realtime-websocket;
the messages: platform.openai.com/docs/api-reference/realtime-server-events)."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from headway.providers.native_api import SocketReport
from headway.types import Usage
from headway.wire.lenient_json import Count, lenient_decoder

READ = (b'"session.created"', b'"session.updated"', b'"response.done"')
"""The types of the messages that are read; the others, most of them audio, are not decoded."""


class CachedDetails(Struct):
    audio_tokens: Count | None = None
    image_tokens: Count | None = None


class InputDetails(Struct):
    cached_tokens: Count | None = None
    audio_tokens: Count | None = None
    image_tokens: Count | None = None
    cached_tokens_details: CachedDetails | None = None


class OutputDetails(Struct):
    audio_tokens: Count | None = None


class RealtimeUsage(Struct):
    """The details are ``..._token_details`` here, and not ``..._tokens_details``."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    input_token_details: InputDetails | None = None
    output_token_details: OutputDetails | None = None


class Session(Struct):
    model: str | None = None


class Response(Struct):
    usage: RealtimeUsage | None = None


class ServerEvent(Struct):
    type: str = ""
    session: Session | None = None
    response: Response | None = None


_decode = lenient_decoder(ServerEvent)
NO_INPUT, NO_OUTPUT, NO_CACHED = InputDetails(), OutputDetails(), CachedDetails()


def read_message(payload: bytes) -> SocketReport | None:
    """The model of a session, or the usage of a response. Never raises."""
    if not any(name in payload for name in READ):
        return None
    try:
        event = _decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if event.type == "response.done":
        reported = None if event.response is None else event.response.usage
        return None if reported is None else SocketReport(usage=_usage(reported))
    is_session = event.type in ("session.created", "session.updated")
    model = event.session.model if is_session and event.session is not None else None
    return None if model is None else SocketReport(model=model)


def _usage(reported: RealtimeUsage) -> Usage:
    """Counts of input and output include all kinds of tokens, and those from the cache."""
    given = reported.input_token_details or NO_INPUT
    cached = given.cached_tokens_details or NO_CACHED
    output = reported.output_token_details or NO_OUTPUT
    return Usage(
        input_tokens=reported.input_tokens,
        output_tokens=reported.output_tokens,
        cache_read_tokens=given.cached_tokens,
        input_audio_tokens=given.audio_tokens,
        input_image_tokens=given.image_tokens,
        cache_read_audio_tokens=cached.audio_tokens,
        cache_read_image_tokens=cached.image_tokens,
        output_audio_tokens=output.audio_tokens,
    )
