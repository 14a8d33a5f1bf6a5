"""Requests are located and authorized as the provider's others are, and usage is read of every
shape in which it is told."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from msgspec import Raw

from headway.errors import UpstreamError
from headway.events import BodyReceived, Event, Failed, PieceReceived, Started, UsageReported
from headway.providers import KINDS
from headway.providers.operations import (
    OPERATIONS,
    Operation,
    OperationDecoder,
    decode_operation,
    encode_operation,
    operations,
)
from headway.types import FormBody, Frame, RelayedRequest, Target, Usage

REQUEST = RelayedRequest(operation="moderations", model="m", parameters={"input": Raw(b'"Hi"')})
PLAIN = operations("moderations")["moderations"]
IMAGES = operations("images/edits")["images/edits"]


def target(kind: str, **changes: Any) -> Target:
    provider = KINDS[kind]
    address = provider.base_url or "https://r.openai.azure.com"
    return Target(**{"provider": kind, "base_url": address, "api_key": "k", **changes})


def usage_of(events: list[Event]) -> Usage:
    return [event.usage for event in events if isinstance(event, UsageReported)][-1]


def read(body: Any, operation: Operation = PLAIN, request: RelayedRequest = REQUEST) -> Usage:
    return usage_of(decode_operation(operation, request, json.dumps(body).encode(), True))


def test_every_operation_of_every_kind_is_known_and_has_an_address() -> None:
    for kind, provider in KINDS.items():
        assert provider.operations.keys() <= OPERATIONS.keys(), kind
        for operation in provider.operations.values():
            http = encode_operation(operation, REQUEST, target(kind))
            assert http.method == "POST"
            assert http.url.path.endswith(operation.path.partition("?")[0]), kind
            assert json.loads(http.body) == {"model": "m", "input": "Hi"}
            assert any("k" in value for _, value in http.headers), kind


def test_addresses_are_those_of_the_provider() -> None:
    for kind, name, path in (
        ("openai", "audio/speech", "/v1/audio/speech"),
        ("groq", "audio/translations", "/openai/v1/audio/translations"),
        ("azure_openai", "images/generations", "/openai/v1/images/generations"),
        ("azure_openai_responses", "audio/speech", "/openai/v1/audio/speech"),
        ("gemini", "images/generations", "/v1beta/openai/images/generations"),
        ("cohere", "rerank", "/v2/rerank"),
        ("deepinfra", "images/variations", "/v1/openai/images/variations"),
    ):
        http = encode_operation(KINDS[kind].operations[name], REQUEST, target(kind))
        assert http.url.path == path, kind


def test_a_form_is_sent_with_its_own_type_and_without_a_key_if_there_is_none() -> None:
    form = FormBody("multipart/form-data; boundary=a", b"\xff[old]\x00", 2, 5)
    request = RelayedRequest(operation="images/edits", model="m-é", form=form)
    where = target("openai", api_key=None, headers={"x-team": "a"})
    http = encode_operation(IMAGES, request, where)
    assert http.body == "\udcff[m-é]\0".encode("utf-8", "surrogateescape")
    assert http.headers == (
        ("content-type", "multipart/form-data; boundary=a"),
        ("accept", "*/*"),
        ("x-team", "a"),
    )


def test_usage_is_read_of_every_shape() -> None:
    details = {"text_tokens": 1, "image_tokens": 2, "audio_tokens": 3, "cached_tokens": 4}
    for body, expected in (
        ({}, Usage()),
        ({"usage": None, "meta": None}, Usage()),
        ({"usage": {"total_tokens": 7}}, Usage(input_tokens=7, output_tokens=0)),
        (
            {"usage": {"prompt_tokens": 7, "total_tokens": 7}},
            Usage(input_tokens=7, output_tokens=0),
        ),
        (
            {"usage": {"prompt_tokens": "7", "completion_tokens": 2.0}},
            Usage(input_tokens=7, output_tokens=2),
        ),
        (
            {"usage": {"input_tokens": 9, "output_tokens": 1, "input_tokens_details": details}},
            Usage(
                input_tokens=9,
                output_tokens=1,
                cache_read_tokens=4,
                input_audio_tokens=3,
                input_image_tokens=2,
            ),
        ),
        ({"usage": {"type": "duration", "seconds": 9.25}}, Usage(audio_seconds=Decimal("9.25"))),
        ({"usage": {"prompt_audio_seconds": 9}}, Usage(audio_seconds=Decimal("9.0"))),
        ({"duration": "8.47"}, Usage(audio_seconds=Decimal("8.47"))),
        (
            {"duration": 8.47, "usage": {"seconds": 9}},
            Usage(audio_seconds=Decimal("9.0")),
        ),
        ({"usage": {"cost": 3.4e-7}}, Usage(cost_usd=Decimal("3.4E-7"))),
        ({"meta": {"billed_units": {"search_units": 2}}}, Usage(search_units=2)),
        (
            {"meta": {"tokens": {"input_tokens": 3, "output_tokens": 1}}},
            Usage(input_tokens=3, output_tokens=1),
        ),
        ({"tokens": {"input_tokens": 3}}, Usage(input_tokens=3, output_tokens=0)),
        (
            {"svg_usage": {"model": "gpt-5", "input_tokens": 1}},
            Usage(price_conditions={"svg_usage": "gpt-5"}),
        ),
    ):
        assert read(body) == expected, body


def test_the_output_of_images_is_images_unless_it_is_detailed() -> None:
    counts = {"input_tokens": 1, "output_tokens": 9}
    assert read({"usage": counts}, IMAGES).output_image_tokens == 9
    detailed = {**counts, "output_tokens_details": {"image_tokens": 5, "text_tokens": 4}}
    assert read({"usage": detailed}, IMAGES).output_image_tokens == 5
    assert read({"usage": counts}).output_image_tokens is None


def test_short_audio_is_billed_as_the_least() -> None:
    groq = KINDS["groq"].operations["audio/transcriptions"]
    for seconds, billed in ((4.2, "10"), (12.5, "12.5")):
        assert read({"duration": seconds}, groq).audio_seconds == Decimal(billed)
    assert read({"text": "Hi"}, groq).audio_seconds is None


def test_an_operation_takes_every_request_as_it_is_unless_it_says_otherwise() -> None:
    assert PLAIN.adapt(REQUEST) == (REQUEST, ())
    assert PLAIN.convert(b"{}") == b"{}"
    assert PLAIN.locate(target("openai"), "m") == target("openai")


def test_a_whole_body_is_its_events() -> None:
    body = b'{"model": "m-1"}'
    assert decode_operation(PLAIN, REQUEST, body, True)[:2] == [
        Started(model="m-1"),
        BodyReceived(body),
    ]
    for text in (b"", b"Error: it said.", b'{"error": 1}'):
        assert decode_operation(PLAIN, REQUEST, text, False)[1] == BodyReceived(text)
    with pytest.raises(UpstreamError, match="boom"):
        decode_operation(PLAIN, REQUEST, b'{"error": {"message": "boom"}}', True)


def frames(decoder: OperationDecoder, *data: bytes) -> list[list[Event]]:
    return [decoder.decode_event(Frame(one, None, one), {}) for one in data]


def test_events_report_their_usage_and_errors() -> None:
    speech = RelayedRequest(operation="audio/speech", model="m", characters=5)
    decoder = OperationDecoder(PLAIN, speech, is_binary=False)
    done = b'{"type": "done", "usage": {"input_tokens": 3, "output_tokens": 4}}'
    first, second, third, empty, failed, end = frames(
        decoder,
        b'{"audio": "AA=="}',
        b'{"audio": "AA=="}',
        done,
        b'{"usage": null}',
        b'{"error": {"message": "boom"}}',
        b"[DONE]",
    )
    assert usage_of(first) == Usage(input_characters=5)
    assert second == empty == end == [PieceReceived()]
    assert usage_of(third) == Usage(input_tokens=3, output_tokens=4, input_characters=5)
    assert isinstance(failed[0], Failed)


def test_bytes_are_not_read() -> None:
    decoder = OperationDecoder(PLAIN, REQUEST, is_binary=True)
    first, second = frames(decoder, b'{"error": {"message": "boom"}}', b'{"usage": {}}')
    assert PieceReceived() in first
    assert second == [PieceReceived()]
