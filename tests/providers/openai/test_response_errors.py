"""Errors inside OpenAI's responses, and bytes that are no response."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import DecodeError, ValidationError

from headway.errors import UpstreamError, UpstreamOverloaded, UpstreamRateLimited
from headway.events import Event, Failed, Started, Text
from headway.providers.openai.response import decode_event, decode_response
from headway.types import Frame

STARTED = Started("chatcmpl-1", "gpt-4o-2024-08-06", 1718622757, "fp_1", "default")
BASE = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1718622757,
    "model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "system_fingerprint": "fp_1",
}


def frame(value: Any, event: str | None = None) -> Frame:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Frame(data, event, b"data: " + data + b"\n\n")


def chunk(delta: Any = None, index: int = 0, finish: str | None = None, **more: Any) -> Any:
    choice = {"index": index, "delta": delta, "finish_reason": finish, "logprobs": None}
    return {**BASE, "choices": [choice], **more}


def decode(frames: list[Frame]) -> list[Event]:
    state: dict[str, Any] = {}
    return [event for each in frames for event in decode_event(each, state)]


# what it shows, the frame, the error's class, its code, a part of its message
ERRORS: list[tuple[str, Frame, type[UpstreamError], str | None, str]] = [
    ("an error alone", frame({"error": {"message": "died"}}), UpstreamError, None, "died"),
    ("a text", frame({"error": "too busy"}), UpstreamError, None, "too busy"),
    (
        "with a status",
        frame({"error": {"message": "slow down", "code": 429}}),
        UpstreamRateLimited,
        "429",
        "slow down",
    ),
    (
        "with a type",
        frame({"error": {"message": "busy", "type": "overloaded_error"}}),
        UpstreamOverloaded,
        "overloaded_error",
        "busy",
    ),
    (
        "an event of that name",
        frame({"error": {"message": "no", "status_code": 503}}, "error"),
        UpstreamOverloaded,
        None,
        "no",
    ),
    (
        "an event that is the error itself",
        frame({"message": "no", "type": "rate_limit_error"}, "error"),
        UpstreamRateLimited,
        "rate_limit_error",
        "no",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "kind", "code", "message"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS]
)
def test_an_error_in_a_stream_fails_the_response(
    sent: Frame, kind: type[UpstreamError], code: str | None, message: str
) -> None:
    for events in (decode([sent]), decode([frame(chunk({"content": "Hi"})), sent])[2:]):
        (failed,) = events
        assert isinstance(failed, Failed)
        assert type(failed.error) is kind
        assert (failed.error.code, failed.error.message) == (code, message)


def test_an_error_in_a_chunk_with_choices_follows_their_events() -> None:
    sent = chunk({"content": "Hi"}, finish="error", error={"message": "died"})
    events = decode([frame(sent)])
    assert [type(event) for event in events] == [Started, Text, Failed, Failed]
    assert [str(event.error) for event in events if isinstance(event, Failed)][-1] == "died"


def test_an_error_in_a_body_of_status_200_fails_the_response() -> None:
    body = {"error": {"message": "Provider returned error", "code": 429}, "choices": None}
    (failed,) = decode_response(json.dumps(body).encode())
    assert isinstance(failed, Failed)
    assert type(failed.error) is UpstreamRateLimited


# a body that is no response, the exception that the pipeline turns into UpstreamGarbled
GARBLED: list[tuple[bytes, type[Exception]]] = [
    (b"", DecodeError),
    (b"<html>", DecodeError),
    (b'{"choices":[{', DecodeError),
    (b"[]", ValidationError),
    (b"7", ValidationError),
    (b'{"choices":7}', ValidationError),
]


@pytest.mark.parametrize(("data", "raised"), GARBLED)
def test_bytes_that_are_no_response_raise_an_exception(
    data: bytes, raised: type[Exception]
) -> None:
    with pytest.raises(raised):
        decode_response(data)
    if data:
        with pytest.raises(raised):
            decode([frame(data)])


def test_content_that_is_no_text_is_read_as_far_as_it_is_one() -> None:
    assert decode([frame(chunk({"content": ["Hi", 7, None]}))])[1:] == [Text("Hi"), Text("7")]
    assert decode([frame(chunk({"content": 7}))])[1:] == [Text("7")]
    assert decode([frame(chunk({"content": True}))])[1:] == []


def test_a_body_without_choices_is_an_error() -> None:
    with pytest.raises(ValueError, match="no choices"):
        decode_response(b'{"object":"list"}')
