"""Google's generateContent and streamGenerateContent: decoding, and errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.dialects.base import ClientRequest
from headway.dialects.gemini.generate import GenerateContent
from headway.dialects.gemini.names import model_of
from headway.errors import (
    HeadwayError,
    InvalidBody,
    InvalidField,
    UpstreamRateLimited,
)
from headway.types import ChatRequest

HI = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
WHOLE, STREAM = GenerateContent(), GenerateContent(is_stream=True)


def inbound(body: Any = HI, argument: str = "models/openai/gpt-4o", **more: Any) -> ClientRequest:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ClientRequest(argument, more.pop("headers", ()), data, **more)


# --- Decoding -------------------------------------------------------------------------------------


def test_the_clients_fields_stay_as_they_are() -> None:
    body = b'{"model": "models/a", "contents": [{"parts":[ ]}], "generation_config": {"topP":1.50}}'
    headers = ((b"x-server-timeout", b"5"), (b"x-goog-api-key", b"k"))
    decoded = WHOLE.decode(inbound(body, headers=headers, query="key=k"))
    request = decoded.request
    assert isinstance(request, ChatRequest)
    assert request.native is not None
    assert (decoded.provider, request.model, request.native.wire) == ("openai", "gpt-4o", "gemini")
    assert {name: bytes(raw) for name, raw in request.native.fields.items()} == {
        "contents": b'[{"parts":[ ]}]',
        "generation_config": b'{"topP":1.50}',
    }
    assert request.native.headers == (("x-server-timeout", "5"),)
    assert request.native.query == ""
    assert bytes(request.messages) == b'[{"parts":[ ]}]'
    assert (decoded.stream, request.stream, decoded.sse) == (False, False, False)


@pytest.mark.parametrize(
    ("query", "sse"),
    [
        ("alt=sse", True),
        ("key=a&alt=sse", True),
        ("%24alt=sse", True),
        ("", False),
        ("alt=json", False),
        ("%24alt=json%3Benum-encoding%3Dint", False),
    ],
)
def test_a_stream_is_of_events_or_an_array(query: str, sse: bool) -> None:
    decoded = STREAM.decode(inbound(query=query))
    assert (decoded.stream, decoded.asks_stream, decoded.sse) == (True, True, sse)
    assert decoded.keep_alive == b"\r\n"


def test_a_key_for_the_provider_is_in_a_header() -> None:
    headers = ((b"x-headway-provider-key", b"own"),)
    assert WHOLE.decode(inbound(headers=headers)).api_key == "own"


NAMES = [
    ("openai/gpt-4o", "openai/gpt-4o"),
    ("models/openrouter/a/b", "openrouter/a/b"),
    ("models/models/openai/a", "openai/a"),
    ("publishers/openai/models/a", "openai/a"),
    ("projects/p/locations/l/publishers/google/models/gemini/a", "gemini/a"),
    ("gemini/tunedModels/a", "gemini/tunedModels/a"),
    ("", ""),
]


@pytest.mark.parametrize(("argument", "name"), NAMES)
def test_a_model_is_named_with_and_without_its_collection(argument: str, name: str) -> None:
    assert model_of(argument) == name


def test_a_name_alone_is_left_to_the_pipeline() -> None:
    decoded = WHOLE.decode(inbound(argument="models/gpt-4o"))
    assert (decoded.provider, decoded.request.model) == ("", "gpt-4o")


BAD: list[tuple[Any, str, type[HeadwayError], str | None]] = [
    (b"{", "openai/a", InvalidBody, None),
    (b"[]", "openai/a", InvalidBody, None),
    ({}, "openai/a", InvalidField, "contents"),
    ({"contents": []}, "openai/a", InvalidField, "contents"),
    ({"contents": None}, "openai/a", InvalidField, "contents"),
    ({"contents": [7]}, "openai/a", InvalidField, "contents"),
    ({**HI, "base_url": "x"}, "openai/a", InvalidField, "base_url"),
]


@pytest.mark.parametrize(("body", "argument", "error", "param"), BAD)
def test_a_bad_request_is_refused(
    body: Any, argument: str, error: type[HeadwayError], param: str | None
) -> None:
    with pytest.raises(error) as caught:
        WHOLE.decode(inbound(body, argument))
    assert caught.value.param == param


# --- Errors ---------------------------------------------------------------------------------------


def test_an_error_has_googles_shape() -> None:
    error = UpstreamRateLimited("Slow down", code="quota", retry_after_s=7.5)
    assert json.loads(WHOLE.encode_error(error, "openai", "id-1")) == {
        "error": {
            "code": 429,
            "message": "Slow down",
            "status": "RESOURCE_EXHAUSTED",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "QUOTA",
                    "domain": "headway",
                    "metadata": {
                        "provider": "openai",
                        "type": "rate_limit_error",
                        "request_id": "id-1",
                    },
                },
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7.5s"},
            ],
        }
    }


def test_a_wrong_field_is_an_invalid_argument() -> None:
    error = InvalidField("No", param="contents")
    assert WHOLE.status_of(error) == 400
    found = json.loads(WHOLE.encode_error(error, None, "id-1"))["error"]
    assert (found["code"], found["status"]) == (400, "INVALID_ARGUMENT")
    assert found["details"][1]["fieldViolations"] == [{"field": "contents", "description": "No"}]


@pytest.mark.parametrize(
    ("status", "name"),
    [(401, "UNAUTHENTICATED"), (404, "NOT_FOUND"), (418, "INVALID_ARGUMENT"), (507, "INTERNAL")],
)
def test_a_status_has_a_name(status: int, name: str) -> None:
    error = HeadwayError("No", status=status)
    assert WHOLE.status_of(error) == status
    assert json.loads(WHOLE.encode_error(error, None, "i"))["error"]["status"] == name
