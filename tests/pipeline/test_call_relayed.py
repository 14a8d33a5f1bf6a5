"""The bodies of images, audio, moderations and reranking pass through a call: with the model's name
put in, streamed as they come, and on record with what the provider reports."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from headway.dialects.base import ClientRequest
from headway.dialects.openai.relayed import ROUTES, OpenAIRelayed
from headway.dialects.openai.rerank import Rerank
from headway.errors import ShuttingDown, UpstreamDisconnected, UpstreamUnreachable
from headway.metering.prices import PriceBook, read_shipped_prices
from headway.providers import KINDS
from headway.routing.model_aliases import ModelAliases
from headway.types import HttpRequest
from support.pipeline_fakes import Pipe

BY_OPERATION = {dialect.operation: dialect for dialect in ROUTES}
SPEECH, TRANSCRIPTIONS = BY_OPERATION["audio/speech"], BY_OPERATION["audio/transcriptions"]
IMAGES, MODERATIONS = BY_OPERATION["images/generations"], BY_OPERATION["moderations"]
JINA, COHERE = Rerank(is_cohere=False), Rerank(is_cohere=True)
BOUNDARY = b"a1b2"
FORM_TYPE = (b"content-type", b"multipart/form-data; boundary=a1b2")
AUDIO = bytes(range(256)) * 2


def send(
    pipe: Pipe, dialect: OpenAIRelayed, *headers: tuple[bytes, bytes], **fields: Any
) -> HttpRequest:
    pipe.send(ClientRequest("", headers, json.dumps(fields).encode()), dialect)
    return pipe.upstream.request


def form(*parts: tuple[str, bytes]) -> bytes:
    """A part whose name has a blank is a file."""
    return b"".join(_part(name, value) for name, value in parts) + b"--a1b2--\r\n"


def _part(name: str, value: bytes) -> bytes:
    field, _, filename = name.partition(" ")
    disposition = f'form-data; name="{field}"' + (f'; filename="{filename}"' if filename else "")
    return b"--a1b2\r\nContent-Disposition: %b\r\n\r\n%b\r\n" % (disposition.encode(), value)


def send_form(pipe: Pipe, dialect: OpenAIRelayed, *parts: tuple[str, bytes]) -> HttpRequest:
    pipe.send(ClientRequest("", (FORM_TYPE,), form(*parts)), dialect)
    return pipe.upstream.request


def own(kind: str, **changes: Any) -> Pipe:
    """A pipe whose provider ``openai`` is of another kind."""
    adapter = KINDS[kind]
    return Pipe(provider=replace(adapter, credentials=None), base_url=adapter.base_url, **changes)


def test_a_json_body_goes_to_the_same_path_with_the_name_of_the_model_put_in() -> None:
    for name, dialect in BY_OPERATION.items():
        pipe = Pipe()
        request = send(pipe, dialect, model="openai/m-1", input="Hi", unknown={"a": [1, 2.50]})
        assert request.url.path == f"/v1/{name}"
        assert json.loads(request.body) == {
            "model": "m-1",
            "input": "Hi",
            "unknown": {"a": [1, 2.5]},
        }
        assert b'{"a": [1, 2.5]}' in request.body, name  # verbatim
        assert ("authorization", "Bearer sk-configured-key") in request.headers


def test_a_whole_body_is_passed_on_with_its_bytes_and_its_type() -> None:
    pipe = Pipe()
    send(pipe, MODERATIONS, input="Hi")
    assert json.loads(pipe.upstream.request.body)["model"] == "omni-moderation-latest"
    body = b'{ "id": "modr-1", "model": "omni-moderation-2024-09-26", "results": [] }\n'
    pipe.upstream.whole(body)
    assert (pipe.sink.status, pipe.sink.body) == (200, body)
    (record,) = pipe.records
    assert (record.outcome, record.route, record.dialect) == (
        "ok",
        "/v1/moderations",
        "openai_moderations",
    )
    assert record.deployment == "omni-moderation-2024-09-26"
    assert (record.input_tokens, record.tokens_source, pipe.counted) == (None, None, [])


def test_a_form_keeps_every_byte_but_the_name_of_the_model() -> None:
    parts = [("file a.wav", AUDIO), ("model", b"openai/whisper-1"), ("prompt", "Köln".encode())]
    for order in (parts, parts[::-1], [parts[1], parts[0], parts[2]]):
        pipe = Pipe()
        request = send_form(pipe, TRANSCRIPTIONS, *order)
        sent = form(*((name, b"whisper-1" if name == "model" else data) for name, data in order))
        assert request.body == sent
        assert ("content-type", "multipart/form-data; boundary=a1b2") in request.headers
        assert request.url.path == "/v1/audio/transcriptions"
        pipe.upstream.whole(b'{"text": "Hi"}')
        assert pipe.records[0].model == "whisper-1"


def test_texts_are_passed_on_whole_with_their_type_even_if_they_are_empty_or_look_like_errors() -> (
    None
):
    for text in (b"1\n00:00:00,000 --> 00:00:01,000\nHi\n", b"", b"Error: it said.", b"{not json"):
        pipe = Pipe()
        send_form(pipe, TRANSCRIPTIONS, ("file a", AUDIO), ("model", b"openai/whisper-1"))
        pipe.upstream.respond([(b"content-type", b"text/plain; charset=utf-8")])
        pipe.upstream.chunk(text)
        pipe.upstream.end()
        assert (pipe.sink.status, pipe.sink.body) == (200, text)
        assert pipe.sink.headers[b"content-type"] == b"text/plain; charset=utf-8"
        assert pipe.records[0].outcome == "ok"


def test_audio_is_written_as_it_arrives_and_pauses_with_the_client() -> None:
    pipe = Pipe()
    send(pipe, SPEECH, model="openai/tts-1", input="Grüße", voice="alloy")
    pipe.clock.now += 0.5
    pipe.upstream.respond([(b"content-type", b"audio/mpeg")])
    for piece in (b"\xff\xfb", AUDIO, b'"error": {}'):
        pipe.clock.now += 0.25
        pipe.upstream.chunk(piece)
        assert pipe.sink.pieces[-1] == piece
    assert pipe.sink.headers[b"content-type"] == b"audio/mpeg"
    assert pipe.sink.on_pause is not None
    assert pipe.sink.on_resume is not None
    pipe.sink.on_pause()
    pipe.sink.on_resume()
    assert pipe.upstream.history == ["pause", "resume"]
    pipe.upstream.end()
    assert pipe.sink.kinds[-1] == "end"
    assert pipe.sink.body == b"\xff\xfb" + AUDIO + b'"error": {}'
    (record,) = pipe.records
    assert (record.outcome, record.input_characters, record.content_events) == ("ok", 5, 3)
    assert record.time_to_first_token_s == 0.75
    assert record.cost_usd is None
    assert record.response_bytes == len(pipe.sink.body)


def test_audio_that_breaks_off_closes_the_connection_and_is_on_record() -> None:
    pipe = Pipe()
    send(pipe, SPEECH, model="openai/tts-1", input="Hi")
    pipe.upstream.respond([(b"content-type", b"audio/mpeg")])
    pipe.upstream.chunk(b"\xff\xfb")
    pipe.upstream.fail(UpstreamDisconnected("gone"))
    assert pipe.sink.kinds == ["start", "write", "abort"]
    (record,) = pipe.records
    assert (record.outcome, record.status, record.finish_reason) == ("error", 200, None)


def test_a_failure_before_the_first_byte_is_an_error_in_openais_shape() -> None:
    pipe = Pipe()
    send(pipe, SPEECH, model="openai/tts-1", input="Hi")
    pipe.upstream.whole(b'{"error": {"message": "no such voice", "param": "voice"}}', 400)
    assert pipe.sink.status == 400
    assert pipe.sink.json["error"]["param"] == "voice"
    for content_type, body in (
        (b"application/json", b'{"error": {"message": "overloaded", "type": "server_error"}}'),
        (b"text/html", b"<html><title>502 Bad Gateway</title></html>"),
        (b"text/html", b"\xff"),
        (b"application/json", b"{"),
    ):
        pipe = Pipe()
        send(pipe, SPEECH, model="openai/tts-1", input="Hi")
        pipe.upstream.respond([(b"content-type", content_type)])
        pipe.upstream.chunk(body)
        pipe.upstream.end()
        assert pipe.sink.status is not None
        assert pipe.sink.status >= 500, body
        assert pipe.sink.json["error"]["message"], body
    pipe = Pipe()
    send(pipe, SPEECH, model="openai/tts-1", input="Hi")
    pipe.upstream.respond([(b"content-type", b"audio/mpeg")])
    pipe.upstream.end()
    assert pipe.sink.status == 502  # no byte of audio


def test_a_client_that_leaves_stops_the_provider() -> None:
    for is_started in (False, True):
        pipe = Pipe()
        send(pipe, SPEECH, model="openai/tts-1", input="Hi")
        if is_started:
            pipe.upstream.respond([(b"content-type", b"audio/mpeg")])
            pipe.upstream.chunk(b"\xff\xfb")
        pipe.sink.leave()
        assert pipe.upstream.history == ["cancel"]
        assert pipe.records[0].outcome == "cancelled"
    pipe = Pipe()
    send(pipe, MODERATIONS, input="Hi")
    pipe.abort(ShuttingDown("closing"))
    assert pipe.sink.status == 503


DELTA = b'event: speech.audio.delta\ndata: {"type":"speech.audio.delta","audio":"//s="}\n\n'
USAGE = {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}
SPOKEN = b"data: " + json.dumps({"type": "speech.audio.done", "usage": USAGE}).encode() + b"\n\n"


def test_speech_as_events_is_passed_on_and_its_usage_read() -> None:
    pipe = Pipe()
    send(pipe, SPEECH, model="openai/gpt-4o", input="Hi", stream_format="sse")
    pipe.clock.now += 20
    pipe.call.keep_alive(pipe.clock.now, 15)
    pipe.upstream.stream(DELTA, DELTA + SPOKEN)
    pipe.upstream.end()
    assert pipe.sink.headers[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert pipe.sink.body == b": keep-alive\n" + DELTA + DELTA + SPOKEN
    (record,) = pipe.records
    assert (record.stream, record.input_tokens, record.output_tokens) == (True, 14, 101)
    assert (record.tokens_source, record.cost_usd) == ("reported", "0.000216")


def test_an_error_in_a_stream_of_events_is_its_last_event() -> None:
    for failure in (b'event: error\ndata: {"error": {"message": "boom"}}\n\n', None):
        pipe = Pipe()
        send(pipe, SPEECH, model="openai/gpt-4o", input="Hi", stream_format="sse")
        pipe.upstream.stream(DELTA)
        if failure is None:
            pipe.upstream.fail(UpstreamDisconnected("boom"))
        else:
            pipe.upstream.chunk(failure)
        last = pipe.sink.pieces[-1]
        assert json.loads(last.removeprefix(b"data: "))["error"]["message"] == "boom"
        assert (pipe.sink.kinds[-1], pipe.records[0].outcome) == ("end", "error")


def test_a_transcript_is_streamed_if_the_form_asks_for_it() -> None:
    done = b'data: {"type":"transcript.text.done","text":"Hi","usage":{"type":"tokens",\
"input_tokens":14,"input_token_details":{"text_tokens":0,"audio_tokens":14},"output_tokens":2,\
"total_tokens":16}}\n\n'
    parts = [("model", b"openai/gpt-4o"), ("file a", AUDIO), ("stream", b"true")]
    pipe = Pipe()
    send_form(pipe, TRANSCRIPTIONS, *parts)
    pipe.upstream.stream(b'data: {"type":"transcript.text.delta","delta":"Hi"}\n\n', done)
    pipe.upstream.end()
    assert pipe.sink.body.endswith(done)
    (record,) = pipe.records
    assert (record.input_tokens, record.input_audio_tokens, record.output_tokens) == (14, 14, 2)
    # A provider that answers whole is passed on whole, and as an event where a stream has begun.
    whole = b'{"text": "Hi",\n "usage": {"type": "duration", "seconds": 9}}'
    for waited in (False, True):
        pipe = Pipe()
        send_form(pipe, TRANSCRIPTIONS, *parts)
        if waited:
            pipe.clock.now += 20
            pipe.call.keep_alive(pipe.clock.now, 15)
        pipe.upstream.whole(whole)
        event = b": keep-alive\ndata: " + whole.replace(b"\n", b"\ndata: ") + b"\n\n"
        assert pipe.sink.body == (event if waited else whole)
        assert pipe.records[0].audio_seconds == 9.0
    # A stream that was not asked for is passed on whole.
    pipe = Pipe()
    send_form(pipe, TRANSCRIPTIONS, *parts[:2])
    pipe.upstream.stream(done)
    pipe.upstream.end()
    assert (pipe.sink.kinds, pipe.sink.body) == (["whole"], done)
    assert pipe.sink.headers[b"content-type"] == b"text/event-stream"


RANKED = {"results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.2}]}
QUESTION = {"model": "openai/r-1", "query": "bear?", "documents": ["hi", "a panda"]}


def answer(pipe: Pipe, body: Any) -> Any:
    pipe.upstream.whole(json.dumps(body).encode())
    return pipe.sink.json


def test_cohere_ranks_for_clients_of_either_shape() -> None:
    cohere = {**RANKED, "id": "r", "meta": {"billed_units": {"search_units": 1}}}
    pipe = own("cohere")
    request = send(pipe, COHERE, **QUESTION, top_n=2, max_tokens_per_doc=9)
    assert request.url.path == "/v2/rerank"
    assert json.loads(request.body) == {
        **QUESTION,
        "model": "r-1",
        "top_n": 2,
        "max_tokens_per_doc": 9,
    }
    pipe.upstream.whole(body := json.dumps(cohere, indent=1).encode())
    assert pipe.sink.body == body
    assert pipe.records[0].search_units == 1
    pipe = own("cohere")
    objects = [{"text": "hi"}, {"text": "a panda"}]
    asked = {**QUESTION, "documents": objects, "return_documents": True}
    request = send(pipe, JINA, **asked)
    assert json.loads(request.body) == {**QUESTION, "model": "r-1"}
    got = answer(pipe, cohere)
    assert (got["model"], got["usage"]) == ("r-1", {"total_tokens": None})
    assert [one["document"] for one in got["results"]] == [{"text": "a panda"}, {"text": "hi"}]
    assert pipe.records[0].transformations == (
        "renamed documents[].text -> documents[]",
        "emulated return_documents: from the documents of the request",
    )
    pipe = own("cohere")
    pipe.send(
        ClientRequest("", (), json.dumps({**QUESTION, "documents": [{"image": "x"}]}).encode()),
        JINA,
    )
    assert (pipe.sink.status, pipe.sink.json["error"]["param"]) == (400, "documents")


def test_servers_in_jinas_shape_rank_for_clients_of_either_shape() -> None:
    jina = {"model": "m", "usage": {"total_tokens": 17}, **RANKED}
    pipe = own("vllm")
    request = send(pipe, JINA, **QUESTION)
    assert request.url.path == "/v1/rerank"
    pipe.upstream.whole(body := json.dumps(jina, indent=1).encode())
    assert pipe.sink.body == body
    assert (pipe.records[0].input_tokens, pipe.records[0].output_tokens) == (17, 0)
    pipe = own("vllm")
    send(pipe, COHERE, **QUESTION)
    got = answer(pipe, jina)
    assert got["results"] == RANKED["results"]
    assert got["meta"] == {"api_version": {"version": "2"}, "tokens": {"input_tokens": 17}}
    assert got["id"] == "id-1"


def test_lists_under_other_names_are_results() -> None:
    listed = [{"score": 0.9, "document": "a panda", "index": 1}]
    for kind, body in (
        ("sglang", listed),
        ("fireworks", {"object": "list", "data": [{"index": 1, "relevance_score": 0.9}]}),
    ):
        pipe = own(kind)
        send(pipe, JINA, **QUESTION)
        (result,) = answer(pipe, body)["results"]
        assert (result["index"], result["relevance_score"]) == (1, 0.9)


def test_a_ranking_that_is_none_is_a_protocol_error() -> None:
    for body in ({}, {"results": [{}]}, {"results": 1}, [1], [], 7, {"data": [{"index": -1}]}):
        pipe = own("vllm")
        send(pipe, JINA, **QUESTION)
        answer(pipe, body)
        expected = 200 if body == [] else 502
        assert pipe.sink.status == expected, body
    pipe = own("vllm")
    send(pipe, JINA, **QUESTION, return_documents=True)
    (result,) = answer(pipe, {"results": [{"index": 9, "relevance_score": 1}]})["results"]
    assert result == {"index": 9, "relevance_score": 1}


def test_a_kind_without_the_operation_is_refused_with_the_kinds_that_have_it() -> None:
    pipe = own("anthropic")
    pipe.send(ClientRequest("", (), b'{"model": "openai/m", "input": "Hi"}'), SPEECH)
    assert (pipe.sink.status, pipe.upstream_requests) == (400, [])
    message = pipe.sink.json["error"]["message"]
    assert "no audio/speech" in message
    assert "azure_openai" in message
    assert "groq" in message
    # OpenAI ranks nothing, but servers of its API at other addresses do.
    for base_url, is_sent in (("https://api.openai.com/v1", False), ("http://gpu/v1", True)):
        pipe = Pipe(base_url=base_url)
        pipe.send(ClientRequest("", (), json.dumps(QUESTION).encode()), JINA)
        assert bool(pipe.upstream_requests) is is_sent


def test_a_deployment_of_azure_has_its_own_address() -> None:
    options = {"api_version": "2025-04-01-preview"}
    pipe = Pipe(
        provider=replace(KINDS["azure_openai"], credentials=None),
        base_url="https://r.openai.azure.com",
        options=options,
    )
    request = send_form(pipe, TRANSCRIPTIONS, ("file a", AUDIO), ("model", b"openai/whisper"))
    assert request.url.path == (
        "/openai/deployments/whisper/audio/transcriptions?api-version=2025-04-01-preview"
    )
    assert ("api-key", "sk-configured-key") in request.headers


def test_a_strict_gateway_refuses_what_would_be_changed() -> None:
    pipe = own("cohere")
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, strict=True)
    pipe.send(
        ClientRequest("", (), json.dumps({**QUESTION, "return_documents": True}).encode()), JINA
    )
    assert (pipe.sink.status, pipe.sink.json["error"]["param"]) == (400, "return_documents")


SHIPPED = PriceBook.load(read_shipped_prices())


def priced(kind: str = "openai") -> Pipe:
    pipe = own(kind)
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, prices=SHIPPED)
    return pipe


def test_the_cost_is_that_of_what_the_provider_says_it_used() -> None:
    image_usage = {
        "input_tokens": 50,
        "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
        "output_tokens": 50,
        "total_tokens": 100,
    }
    spoken = {"type": "tokens", "input_tokens": 14, "output_tokens": 45, "total_tokens": 59}
    heard = {**spoken, "input_token_details": {"text_tokens": 4, "audio_tokens": 10}}
    details = {"output_tokens_details": {"image_tokens": 40, "text_tokens": 10}}
    svg = {"svg_usage": {"model": "gpt-5.6", "input_tokens": 1, "output_tokens": 2}}
    for kind, operation, model, body, dollars in (
        # 10 x 5 + 40 x 10 + 50 x 40, per million
        ("openai", "images/generations", "gpt-image-1", {"usage": image_usage}, "0.00245"),
        # 10 x 5 + 40 x 8 + 50 x 32: all of the output is images where nothing else is said
        ("openai", "images/edits", "gpt-image-1.5", {"usage": image_usage}, "0.00197"),
        (
            "openai",
            "images/edits",
            "gpt-image-1.5",
            {"usage": {**image_usage, **details}},
            "0.00175",
        ),
        ("openai", "images/edits", "gpt-image-2", {"usage": image_usage, **svg}, None),
        ("openai", "images/generations", "dall-e-3", {"data": []}, None),
        # 4 x 2.5 + 10 x 6 + 45 x 10
        ("openai", "audio/transcriptions", "gpt-4o-transcribe", {"usage": heard}, "0.00052"),
        (
            "openai",
            "audio/transcriptions",
            "whisper-1",
            {"usage": {"type": "duration", "seconds": 9}},
            "0.0009",
        ),
        ("openai", "audio/translations", "whisper-1", {"duration": 8.5}, "0.00085"),
        ("openai", "audio/transcriptions", "whisper-1", {"text": "Hi"}, None),
        ("groq", "audio/transcriptions", "whisper-large-v3", {"duration": 4.2}, "0.000308333333"),
        (
            "mistral",
            "audio/transcriptions",
            "voxtral-mini-2602",
            {"usage": {"prompt_audio_seconds": 20, "prompt_tokens": 4, "completion_tokens": 9}},
            "0.001",
        ),
        ("openai", "moderations", "omni-moderation-latest", {"results": []}, "0"),
        (
            "openrouter",
            "rerank",
            "r",
            {"usage": {"total_tokens": 17, "cost": 3.4e-7}, **RANKED},
            "0.00000034",
        ),
    ):
        pipe = priced(kind)
        dialect = JINA if operation == "rerank" else BY_OPERATION[operation]
        send(pipe, dialect, **{**QUESTION, "model": f"openai/{model}"})
        answer(pipe, body)
        (record,) = pipe.records
        cost = None if record.cost_usd is None else Decimal(record.cost_usd)
        expected = None if dollars is None else Decimal(dollars)
        assert cost == expected, (model, record.cost_unknown_reason)
        assert bool(record.cost_unknown_reason) is (dollars is None or operation == "rerank"), model
    pipe = priced()
    send(pipe, SPEECH, model="openai/tts-1", input="Grüße")
    pipe.upstream.respond([(b"content-type", b"audio/mpeg")])
    pipe.upstream.chunk(b"x")
    pipe.upstream.end()
    assert pipe.records[0].cost_usd == "0.000075"


def test_a_bare_name_means_the_provider_that_has_the_model() -> None:
    pipe = priced("cohere")
    request = send(pipe, COHERE, **{**QUESTION, "model": "rerank-v3.5"})
    assert json.loads(request.body)["model"] == "rerank-v3.5"
    for model in ("whisper-1", "gpt-4o-transcribe"):
        pipe = priced()
        send_form(pipe, TRANSCRIPTIONS, ("file a", AUDIO), ("model", model.encode()))
        assert f"\r\n\r\n{model}\r\n".encode() in pipe.upstream.request.body
    pipe = priced()
    pipe.send(ClientRequest("", (), b'{"model": "no-such-model", "input": "Hi"}'), SPEECH)
    assert (pipe.sink.status, pipe.sink.json["error"]["param"]) == (422, "model")


def test_a_form_labels_its_record() -> None:
    pipe = Pipe()
    labels = [("user", b"ann"), ("metadata[team]", b"blue"), ("temperature", b"0.5"),
              ("language", b"de"), ("prompt", b"names: Ann")]  # fmt: skip
    parts = [("file a", AUDIO), ("model", b"openai/whisper-1"), *labels]
    request = send_form(pipe, TRANSCRIPTIONS, *parts)
    assert b"ann" in request.body
    pipe.upstream.fail(UpstreamUnreachable("no route"))
    record = pipe.records[-1]
    assert (record.user, record.tags) == ("ann", ("team:blue",))
    parameters = {name: bytes(raw) for name, raw in record.parameters.items()}
    assert parameters == {"temperature": b"0.5", "language": b'"de"'}


def test_a_form_takes_aliases_and_the_clients_own_key() -> None:
    pipe = Pipe()
    aliases = ModelAliases.from_table({"listen": "openai/whisper-1"})
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, aliases=aliases)
    own_key = (b"x-headway-provider-key", b"sk-mine")
    body = form(("file a", AUDIO), ("model", b"listen"))
    pipe.send(ClientRequest("", (FORM_TYPE, own_key), body), TRANSCRIPTIONS)
    request = pipe.upstream.request
    assert request.body == form(("file a", AUDIO), ("model", b"whisper-1"))
    assert ("authorization", "Bearer sk-mine") in request.headers
    assert "sk-mine" not in str(pipe.records)
