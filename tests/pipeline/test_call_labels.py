"""The user, tags and parameters of a request in its record, and what ties its attempts together."""

from __future__ import annotations

import json
from typing import Any

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.gemini.generate import GenerateContent
from headway.dialects.openai.embeddings import OpenAIEmbeddings
from headway.dialects.openai_responses.dialect import OpenAIResponses
from headway.errors import ClientGone, UpstreamUnreachable
from headway.record import LineItem, Record
from support.native_fakes import NativePipe
from support.pipeline_fakes import ENGINE, HELLO, OPENAI, WHOLE, Gate, Pipe, text
from support.played_dialects import REQUESTS

ASKED = [{"role": "user", "content": "Hi"}]
LABELS = ((b"x-headway-user", b"ann"), (b"x-headway-tags", b"team:blue,beta"))
CHAT = {"model": "openai/gpt-4o", "messages": ASKED}


def record_of(dialect: Dialect, body: dict[str, Any], *headers: tuple[bytes, bytes]) -> Record:
    pipe = Pipe()
    pipe.send(ClientRequest("openai", headers, json.dumps(body).encode()), dialect)
    pipe.upstream.fail(UpstreamUnreachable("no route"))
    return pipe.records[-1]


def parameters_of(record: Record) -> dict[str, Any]:
    return {name: json.loads(bytes(raw)) for name, raw in record.parameters.items()}


def test_headers_label_the_request_in_every_dialect() -> None:
    for name, (dialect, asked) in REQUESTS.items():
        pipe = Pipe()
        pipe.send(ClientRequest(asked.argument, LABELS, asked.body, asked.query), dialect)
        pipe.upstream.fail(UpstreamUnreachable("no route"))
        record = pipe.records[-1]
        assert (record.user, record.tags[:2]) == ("ann", ("team:blue", "beta")), name


def test_each_dialects_own_fields_label_the_request() -> None:
    labelled = {"user": "ann", "metadata": {"team": "blue"}, "temperature": 0.5}
    engine = {"model": "gpt-4o", "chat_input": "Hi", "parameters": labelled}
    items = {"model": "openai/gpt-4o", "input": "Hi", **labelled}
    vectors = {"model": "openai/m", "input": "a", "user": "ann", "dimensions": 3}
    for dialect, body in ((ENGINE, engine), (OPENAI, {**CHAT, **labelled}), (OPENAI, items),
                          (OpenAIResponses(), items)):  # fmt: skip
        record = record_of(dialect, body)
        assert (record.user, record.tags) == ("ann", ("team:blue",))
        assert parameters_of(record)["temperature"] == 0.5
    record = record_of(OpenAIEmbeddings(), vectors)
    assert (record.user, parameters_of(record)) == ("ann", {"dimensions": 3})


def test_anthropics_user_is_recorded_where_it_is_no_session() -> None:
    asked = {**CHAT, "max_tokens": 9}
    user = {"metadata": {"user_id": "ann"}}
    record = record_of(AnthropicMessages(), {**asked, **user})
    assert (record.user, record.tags, parameters_of(record)) == ("ann", (), {"max_tokens": 9})
    session = {"metadata": {"user_id": '{"device_id":"d","session_id":"s"}'}}
    record = record_of(AnthropicMessages(), {**asked, **session})
    assert (record.user, record.session_id) == (None, "s")


def test_geminis_labels_and_generation_config_are_recorded() -> None:
    body = {
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
        "generationConfig": {"temperature": 0, "thinkingConfig": {"thinkingBudget": 128}},
        "labels": {"env": "prod"},
    }
    pipe = Pipe()
    asked = ClientRequest("openai/gpt-4o", (), json.dumps(body).encode())
    pipe.send(asked, GenerateContent(False))
    pipe.upstream.fail(UpstreamUnreachable("no route"))
    (record,) = pipe.records
    assert record.tags == ("env:prod",)
    assert parameters_of(record) == {
        "generationConfig.temperature": 0, "generationConfig.thinkingConfig.thinkingBudget": 128,
    }  # fmt: skip


def test_a_header_comes_before_a_field_and_tags_are_joined() -> None:
    body = {**CHAT, "user": "bob", "metadata": {"team": "red"}}
    record = record_of(OPENAI, body, *LABELS)
    assert (record.user, record.tags) == ("ann", ("team:blue", "beta", "team:red"))


def test_a_refused_request_keeps_its_labels() -> None:
    pipe = Pipe()
    asked = {"model": "m", "chat_input": "Hi", "parameters": {"temperature": 0.5}}
    pipe.send(ClientRequest("nobody", LABELS, json.dumps(asked).encode()))
    (record,) = pipe.records
    assert (record.outcome, record.user, record.role) == ("refused", "ann", "first")
    assert (record.call_id, record.is_last) == (record.id, True)
    assert parameters_of(record)["temperature"] == 0.5


def test_a_native_request_is_labelled_too() -> None:
    pipe = NativePipe()
    body = {"model": "gpt-4o", "messages": ASKED, "user": "bob", "max_tokens": 5}
    pipe.pass_through("/v1/chat/completions", json.dumps(body).encode(), LABELS[1])
    pipe.upstream.whole(WHOLE)
    (record,) = pipe.records
    assert (record.user, record.tags) == ("bob", ("team:blue", "beta"))
    assert parameters_of(record) == {"max_tokens": 5}
    assert record.call_id == record.id
    assert record.line_items == BILL

    pipe = NativePipe()
    body = {"model": "gpt-image-1", "prompt": "a", "size": "1024x1024", "quality": "low"}
    pipe.pass_through("/v1/images/generations", json.dumps(body).encode(), *LABELS)
    pipe.upstream.whole(b'{"created": 1, "data": []}')
    (record,) = pipe.records
    assert record.user == "ann"
    assert parameters_of(record) == {"size": "1024x1024", "quality": "low"}


BILL = (LineItem("input", "6", "0.000001"), LineItem("output", "26", "0.000002"))


def test_the_attempts_of_a_call_share_its_id_and_the_last_one_is_marked() -> None:
    pipe = Pipe()
    pipe.ask(retries=1)
    pipe.upstream.fail(UpstreamUnreachable("no route"))
    pipe.upstream.stream(HELLO)
    first, second = pipe.records
    assert (first.id, first.call_id, first.role, first.is_last) == ("id-1", "id-1", "first", False)
    assert (second.id, second.call_id) == ("id-2", "id-1")
    assert (second.role, second.is_last) == ("retry", True)
    assert (first.line_items, second.line_items) == ((), BILL)


def test_a_client_that_leaves_between_attempts_ends_the_call_with_a_record_of_its_own() -> None:
    pipe = Pipe()
    pipe.sleeping = Gate()
    pipe.ask(retries=1)
    pipe.upstream.fail(UpstreamUnreachable("no route"))
    pipe.abort(ClientGone("left"))
    first, last = pipe.records
    assert (first.is_last, last.is_last) == (False, True)
    assert (last.call_id, last.outcome, last.role) == ("id-1", "cancelled", "retry")


def test_the_gaps_between_events_are_on_record() -> None:
    pipe = Pipe()
    pipe.ask_openai(stream=True)
    pipe.upstream.respond()
    for piece in "abcd":
        pipe.clock.now += 0.5
        pipe.upstream.chunk(text(piece))
    pipe.sink.leave()
    (record,) = pipe.records
    ((_, count),) = record.gap_counts
    assert count == 3
