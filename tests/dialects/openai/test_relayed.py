"""What the dialects of images, audio and moderations read of a request, and refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from headway.dialects.base import ClientRequest, DecodedRequest, ResponseContext
from headway.dialects.openai.relayed import ROUTES
from headway.errors import HeadwayError, UpstreamError
from headway.events import BodyReceived
from headway.metering.metrics import Metrics
from headway.response_accumulator import ResponseAccumulator
from headway.types import ChatRequest, Frame, RelayedRequest

BY_OPERATION = {dialect.operation: dialect for dialect in ROUTES}
FORMS = ["images/edits", "images/variations", "audio/transcriptions", "audio/translations"]
FORM_TYPE = (b"content-type", b"multipart/form-data; boundary=a1")
MODEL = b"openai/m"
METRICS = Metrics()


def decode(operation: str, *headers: tuple[bytes, bytes], body: bytes) -> DecodedRequest:
    return BY_OPERATION[operation].decode(ClientRequest("", headers, body))


def relayed(decoded: DecodedRequest) -> RelayedRequest:
    assert isinstance(decoded.request, RelayedRequest)
    return decoded.request


def part(name: str, value: bytes = b"x", more: bytes = b"") -> bytes:
    head = b'--a1\r\ncontent-disposition: form-data; name="%b"%b\r\n\r\n' % (name.encode(), more)
    return head + value + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--a1--"


def test_a_json_body_keeps_its_fields_and_their_order() -> None:
    for operation in BY_OPERATION:
        body = b'{"z": 1.50, "model": "a/b/c", "input": "Hi", "unknown": {"k": [ ]}}'
        for content_type in (
            b"application/json",
            b"text/plain;charset=UTF-8",
            b"application/x+json",
        ):
            decoded = decode(operation, (b"content-type", content_type), body=body)
            request = relayed(decoded)
            assert (decoded.provider, request.model, decoded.model_name) == ("a", "b/c", "a/b/c")
            assert list(request.parameters) == ["z", "input", "unknown"]
            assert bytes(request.parameters["z"]) == b"1.50"
            assert request.operation == operation
            assert request.form is None


def test_only_moderations_need_no_model() -> None:
    for body in (b'{"input": "Hi"}', b'{"input": "Hi", "model": null}'):
        decoded = decode("moderations", body=body)
        assert decoded.model_name == "omni-moderation-latest"
        assert "model" not in relayed(decoded).parameters
    with pytest.raises(HeadwayError, match="`model`") as found:
        decode("images/generations", body=b'{"model": null}')
    assert found.value.param == "model"
    other = decode("moderations", body=b'{"model": "text-moderation-stable"}')
    assert other.model_name == "text-moderation-stable"


def test_a_stream_is_what_the_request_asks_for() -> None:
    for operation, fields, stream, sse in (
        ("images/generations", {"stream": True}, True, True),
        ("images/generations", {"stream": False}, False, True),
        ("images/generations", {}, False, True),
        ("audio/speech", {"input": "Hi"}, True, False),
        ("audio/speech", {"input": "Hi", "stream_format": "audio"}, True, False),
        ("audio/speech", {"input": "Hi", "stream_format": "sse"}, True, True),
    ):
        asked: dict[str, Any] = {"model": "a/b", **fields}
        decoded = decode(operation, body=json.dumps(asked).encode())
        assert (decoded.stream, decoded.sse) == (stream, sse), (operation, fields)
    for value, stream in ((b"true", True), (b" True\r\n", True), (b"false", False), (b"1", False)):
        body = form(part("file"), part("model", MODEL), part("stream", value))
        assert decode("audio/transcriptions", FORM_TYPE, body=body).stream is stream


def test_characters_are_counted_of_a_text_to_speak_only() -> None:
    body = '{"model": "a/b", "input": "Grüße \\ud83d\\ude00"}'.encode()
    assert relayed(decode("audio/speech", body=body)).characters == 7
    assert relayed(decode("moderations", body=body)).characters is None
    with pytest.raises(HeadwayError, match="`input`"):
        decode("audio/speech", body=b'{"model": "a/b"}')


def test_a_form_is_split_around_the_name_of_the_model() -> None:
    for operation in FORMS:
        before, after = part("file", b"\x00\r\n--a", b'; filename="a"'), part("unknown")
        for first, last in ((before, after), (b"", before + after), (before + after, b"")):
            body = first + part("model", MODEL) + last + b"--a1--"
            decoded = decode(operation, FORM_TYPE, body=body)
            request = relayed(decoded)
            assert (decoded.provider, request.model) == ("openai", "m")
            assert request.form is not None
            assert request.form.body == body
            assert body[request.form.start : request.form.end] == MODEL
            assert request.form.content_type == "multipart/form-data; boundary=a1"
    trimmed = decode("images/edits", FORM_TYPE, body=form(part("model", b"openai/m\r\n")))
    assert relayed(trimmed).model == "m"


def test_a_form_that_cannot_be_read_is_refused_with_what_is_wrong() -> None:
    for body, said in (
        (form(part("file")), "`model` is missing"),
        (form(part("model"), part("model")), "one field"),
        (form(part("model", more=b"; filename=a")), "no file"),
        (form(part("model", b"\xff")), "UTF-8"),
        (form(part("model", b" ")), "one line"),
        (form(part("model", b"a\nb")), "one line"),
        (form(part("model"), part("api_key")), "api_key"),
        (form(part("model"), part("base_url")), "base_url"),
        (part("model"), "malformed: a line begins|malformed: part 1 has no end"),
        (b"", "nowhere"),
    ):
        with pytest.raises(HeadwayError, match=said) as found:
            decode("images/edits", FORM_TYPE, body=body)
        assert 400 <= found.value.status < 500
    with pytest.raises(HeadwayError, match="boundary"):
        decode("images/edits", (b"content-type", b"multipart/form-data"), body=b"")


def test_another_content_type_is_refused_with_those_that_are_known() -> None:
    for operation in BY_OPERATION:
        urlencoded = (b"content-type", b"application/x-www-form-urlencoded")
        with pytest.raises(HeadwayError, match="application/json") as found:
            decode(operation, urlencoded, body=b"model=a")
        assert found.value.status == 415
        assert ("multipart/form-data" in found.value.message) is (operation in FORMS)
        body = b'{"model": "a/b", "input": "Hi", "voice": "alloy"}'
        json_body = decode(operation, urlencoded, body=body)  # as `curl -d` sends it
        assert json_body.request.model == "b"
        if operation not in FORMS:
            with pytest.raises(HeadwayError, match="multipart") as found:
                decode(operation, FORM_TYPE, body=form(part("model")))
            assert found.value.status == 415
    for body in (b"[]", b"{", b'{"model": "a/b", "api_key": "k"}'):
        with pytest.raises(HeadwayError, match=r"JSON|api_key"):
            decode("images/generations", body=body)


def context(operation: str) -> ResponseContext:
    decoded = decode(operation, body=b'{"model": "a/b", "input": "Hi"}')
    return ResponseContext(id="r", request_id="q", created=1, call=decoded, sent=decoded.request)


def test_metrics_are_a_comment_where_the_stream_is_of_events() -> None:
    asked = context("audio/speech")
    asked = replace(asked, call=replace(asked.call, shows_metrics=True))
    encoder = BY_OPERATION["audio/speech"].stream(asked)
    encoder.content_type = b"text/event-stream; charset=utf-8"
    (comment,) = encoder.end(ResponseAccumulator(), METRICS, 0.0)
    assert comment.startswith(b': headway.metrics {"input_tokens":')
    assert comment.endswith(b"}\n")
    assert comment.count(b"\n") == 1
    encoder.content_type = b"audio/mpeg"
    assert encoder.end(ResponseAccumulator(), METRICS, 0.0) == []


def test_bodies_and_frames_are_passed_on_and_errors_are_events_where_they_can_be() -> None:
    dialect = BY_OPERATION["audio/speech"]
    response = ResponseAccumulator()
    assert response.add([BodyReceived(b"body")])
    assert dialect.encode(context("audio/speech"), response, METRICS, 0.0) == b"body"
    assert not dialect.passes_through(b"{}")
    encoder = dialect.stream(context("audio/speech"))
    assert encoder.encode(Frame(b"d", None, b"raw"), [], 0.0) == b"raw"
    assert encoder.end(response, METRICS, 0.0) == []
    (event,) = encoder.fail(UpstreamError("boom"))
    assert json.loads(event.removeprefix(b"data: "))["error"]["message"] == "boom"
    encoder.content_type = b"audio/mpeg"
    assert encoder.fail(UpstreamError("boom")) == []
    with pytest.raises(TypeError):
        dialect.convert_request(ChatRequest(model="m", messages=Raw(b"[]")))
