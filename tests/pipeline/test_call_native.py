"""Requests of a client whose dialect is not OpenAI's: sent as they are to a provider of the same
wire format, and converted for any other."""

from __future__ import annotations

import json

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.dialects.base import (
    ClientRequest,
    ConvertedRequest,
    DecodedRequest,
    decode_object,
)
from headway.dialects.openai.chat import OpenAIChat
from headway.errors import HeadwayError
from headway.providers.openai import provider as openai
from headway.providers.transformations import dropped
from headway.types import ChatRequest, HttpRequest, NativeRequest, Target, Transformation
from headway.wire.url import join
from support.pipeline_fakes import Pipe

BODY = b'{"say": "Hi", "odd": {"a":1.50}}'


class Sayings(OpenAIChat):
    """A dialect whose requests have one text; its responses are OpenAI's."""

    wire = "sayings"

    def decode(self, client_request: ClientRequest) -> DecodedRequest:
        fields = decode_object(client_request.body)
        native = NativeRequest("sayings", fields, (("x-beta", "b"),), client_request.query)
        request = ChatRequest(model="m", messages=fields["say"], native=native)
        return DecodedRequest(provider="openai", request=request)

    def convert_request(self, request: ChatRequest) -> ConvertedRequest:
        message = {"role": "user", "content": request.messages}
        messages = Raw(msgspec.json.encode([message]))
        return replace(request, messages=messages, native=None), (dropped("odd", "unknown"),)

    def encode_error(self, error: HeadwayError, provider: str | None, request_id: str) -> bytes:
        return b"oh: " + error.message.encode()

    def status_of(self, error: HeadwayError) -> int:
        return 418


def encode_native(request: ChatRequest, target: Target) -> HttpRequest:
    assert request.native is not None
    url = join(target.base_url, f"/say?{request.native.query}")
    return HttpRequest(url, request.native.headers, msgspec.json.encode(request.native.fields))


NATIVE = replace(openai.PROVIDER, wire="sayings", encode_native=encode_native)


def say(pipe: Pipe) -> None:
    pipe.send(ClientRequest("", (), BODY, "a=1"), Sayings())


def test_a_provider_of_the_same_format_is_sent_what_the_client_sent() -> None:
    pipe = Pipe(provider=NATIVE)
    say(pipe)
    sent = pipe.upstream.request
    assert sent.url.path.endswith("/say?a=1")
    assert ("x-beta", "b") in sent.headers
    assert sent.body == b'{"say":"Hi","odd":{"a":1.50}}'


def test_what_another_provider_made_is_left_out_and_told() -> None:
    def adapt_native(request: ChatRequest) -> tuple[ChatRequest, tuple[Transformation, ...]]:
        assert request.native is not None
        fields = {name: raw for name, raw in request.native.fields.items() if name != "odd"}
        native = replace(request.native, fields=fields)
        return replace(request, native=native), (dropped("odd", "another provider's"),)

    pipe = Pipe(provider=replace(NATIVE, adapt_native=adapt_native))
    say(pipe)
    assert pipe.upstream.request.body == b'{"say":"Hi"}'
    pipe.upstream.whole(b'{"choices":[{"message":{"content":"Oh"},"finish_reason":"stop"}]}')
    assert pipe.sink.headers[b"x-headway-transformations"] == b"dropped odd: another provider's"


def test_a_malformed_request_of_the_same_format_is_the_clients_error() -> None:
    def fail(request: ChatRequest) -> tuple[ChatRequest, tuple[Transformation, ...]]:
        raise msgspec.ValidationError("no list")

    pipe = Pipe(provider=replace(NATIVE, adapt_native=fail))
    say(pipe)
    assert pipe.sink.body == b"oh: openai cannot encode this request: no list."


def test_a_converted_request_says_so() -> None:
    seen: list[bool] = []

    def adapt(request: ChatRequest) -> tuple[ChatRequest, tuple[Transformation, ...]]:
        seen.append(request.is_converted)
        return request, ()

    say(Pipe(provider=replace(openai.PROVIDER, adapt=adapt)))
    assert seen == [True]


def test_the_id_of_a_request_has_a_second_header_where_the_dialect_wants_one() -> None:
    class Named(Sayings):
        id_header = b"the-id"

    for body, status in ((b'{"choices":[{"message":{},"finish_reason":"stop"}]}', 200), (b"", 500)):
        pipe = Pipe(provider=NATIVE)
        pipe.send(ClientRequest("", (), BODY), Named())
        pipe.upstream.whole(body, status)
        assert pipe.sink.headers[b"the-id"] == pipe.sink.headers[b"x-request-id"] == b"id-1"


def test_a_provider_of_another_format_is_sent_the_converted_request() -> None:
    for provider in (openai.PROVIDER, replace(NATIVE, encode_native=None)):
        pipe = Pipe(provider=provider)
        say(pipe)
        assert json.loads(pipe.upstream.request.body)["messages"] == [
            {"role": "user", "content": "Hi"}
        ]
        pipe.upstream.whole(b'{"choices":[{"message":{"content":"Oh"},"finish_reason":"stop"}]}')
        assert pipe.sink.headers[b"x-headway-transformations"] == b"dropped odd: unknown"


def test_what_the_conversion_drops_is_refused_where_the_gateway_is_strict() -> None:
    pipe = Pipe()
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, strict=True)
    say(pipe)
    assert pipe.upstream_requests == []
    assert pipe.sink.body.startswith(b"oh: strict: openai would get this request with a change")


def test_an_error_has_the_dialects_form_and_status() -> None:
    pipe = Pipe(provider=NATIVE)
    say(pipe)
    pipe.upstream.whole(b'{"error":{"message":"no"}}', 500)
    assert (pipe.sink.status, pipe.sink.body) == (418, b"oh: no")
