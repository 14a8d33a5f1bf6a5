"""What of a call's messages is on the spool when the call has ended."""

from __future__ import annotations

import json
import logging
from hashlib import sha256
from typing import Any

import pytest

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.gemini.generate import GenerateContent
from headway.dialects.ollama.chat import OllamaChat
from headway.dialects.openai.completions import OpenAICompletions
from headway.dialects.openai.embeddings import OpenAIEmbeddings
from headway.dialects.openai.relayed import ROUTES
from headway.dialects.openai.rerank import Rerank
from headway.dialects.openai_responses.dialect import OpenAIResponses
from headway.errors import UpstreamDisconnected
from headway.pipeline.content_rules import ContentRules
from headway.policy.keys import KeyRing
from headway.providers import KINDS
from headway.record import Content
from support.for_each import for_each
from support.native_fakes import NativePipe
from support.pipeline_fakes import DONE, HELLO, KEY, ROLE, STOP, USAGE, WHOLE, Pipe, event, text

HI = [{"role": "user", "content": "Hi"}]
ANSWER = [{"content": "Hello!", "role": "assistant"}]
RELAYED = {dialect.operation: dialect for dialect in ROUTES}


def full(**options: Any) -> Pipe:
    return Pipe(content=ContentRules("full"), **options)


def decoded(content: Content) -> tuple[Any, Any]:
    return json.loads(bytes(content.messages)), json.loads(bytes(content.output))


def send(pipe: Pipe, dialect: Dialect, body: Any, argument: str = "") -> None:
    pipe.send(ClientRequest(argument, (), json.dumps(body).encode()), dialect)


def test_nothing_is_kept_where_no_setting_says_so() -> None:
    pipe = Pipe()
    pipe.ask()
    pipe.upstream.stream(HELLO)
    assert pipe.contents == []
    assert pipe.records[0].content == "off"


def test_a_call_has_its_messages_and_its_answer_before_its_record() -> None:
    pipe = full()
    pipe.ask(temperature=0.5, session_id="s-1")
    pipe.upstream.stream(HELLO)
    content, record = pipe.entries
    assert isinstance(content, Content)
    assert decoded(content) == (HI, ANSWER)
    assert (content.call_id, content.key_id, content.wire) == ("id-1", "anonymous", "openai_chat")
    assert {k: bytes(v) for k, v in content.parameters.items()} == {"temperature": b"0.5"}
    assert record.content == content.mode == "full"  # type: ignore[union-attr]
    assert content.timestamp == record.timestamp
    assert bytes(content.response) == b"null"


def test_each_choice_is_a_message_with_its_calls_and_its_reasoning() -> None:
    pipe = full()
    pipe.ask(tools=[{"type": "function", "function": {"name": "look"}}])
    call = {"index": 0, "id": "c1", "function": {"name": "look", "arguments": "{}"}}
    second = {"index": 1, "delta": {"content": "B"}, "finish_reason": "stop"}
    pipe.upstream.stream(
        ROLE,
        event({"reasoning_content": "Hm"}),
        event({"tool_calls": [call]}),
        event(finish="tool_calls"),
        event(choices=[second]),
        USAGE,
        DONE,
    )
    _, (first, other) = decoded(pipe.contents[0])
    assert first["reasoning_content"] == "Hm"
    assert first["tool_calls"][0]["function"] == {"name": "look", "arguments": "{}"}
    assert other == {"content": "B", "role": "assistant"}
    assert "tools" in pipe.contents[0].parameters


@for_each("stream", [True, False])
def test_an_answer_that_is_passed_on_as_it_is_is_kept(stream: bool) -> None:
    pipe = full()
    pipe.ask_openai(stream=stream)
    if stream:
        pipe.upstream.respond()
        pipe.upstream.chunk(ROLE, text("Hel"), text("lo"), text("!"), STOP, DONE)
    else:
        pipe.upstream.whole(WHOLE)
    assert decoded(pipe.contents[0]) == (HI, ANSWER)


def test_the_part_of_a_broken_stream_is_kept() -> None:
    pipe = full()
    pipe.ask(is_stream=True)
    pipe.upstream.stream(ROLE, text("Hel"))
    pipe.upstream.fail(UpstreamDisconnected("gone"))
    assert decoded(pipe.contents[0]) == (HI, [{"content": "Hel", "role": "assistant"}])
    assert pipe.records[0].outcome == "error"
    assert pipe.records[0].content == "full"


def test_the_part_that_a_client_got_before_it_left_is_kept() -> None:
    pipe = full()
    pipe.ask(is_stream=True)
    pipe.upstream.stream(ROLE, text("Hel"))
    pipe.sink.leave()
    assert decoded(pipe.contents[0])[1] == [{"content": "Hel", "role": "assistant"}]
    assert pipe.records[0].outcome == "cancelled"


def test_the_prompt_of_a_refused_call_is_kept() -> None:
    pipe = full()
    pipe.ask_openai(model="nobody/gpt-4o")
    assert decoded(pipe.contents[0]) == (HI, [])
    assert pipe.records[0].outcome == "refused"
    assert pipe.records[0].content == "full"


def test_a_call_with_several_attempts_is_kept_once() -> None:
    pipe = full()
    pipe.ask(retries=1)
    pipe.upstream.whole(b'{"error":{"message":"busy"}}', 503)
    pipe.upstream.stream(HELLO)
    assert [record.outcome for record in pipe.records] == ["error", "ok"]
    assert len(pipe.contents) == 1
    assert decoded(pipe.contents[0]) == (HI, ANSWER)


def test_a_body_that_cannot_be_decoded_leaves_nothing() -> None:
    pipe = full()
    pipe.send(ClientRequest("openai", (), b"{"))
    assert pipe.contents == []
    assert pipe.records[0].content == "off"


def test_hashes_stand_in_for_texts_where_no_text_is_kept() -> None:
    pipe = Pipe(content=ContentRules("hash"))
    pipe.ask(chat_input=[{"role": "user", "content": "my secret"}], user="anna")
    pipe.upstream.stream(HELLO)
    content = pipe.contents[0]
    messages, output = decoded(content)
    assert messages == [sha256(b'{"role":"user","content":"my secret"}').hexdigest()]
    assert output == [sha256(b'{"content":"Hello!","role":"assistant"}').hexdigest()]
    assert json.loads(bytes(content.parameters["user"])) == sha256(b'"anna"').hexdigest()
    assert b"my secret" not in b"".join(pipe.spool.lines)
    assert content.mode == pipe.records[0].content == "hash"


def test_the_key_decides_what_is_kept() -> None:
    ids = {"key-one": "full", "key-two": "hash"}
    rings = {key: KeyRing.from_keys([key]) for key in ids}
    by_key: Any = {next(iter(rings[key].ids)): mode for key, mode in ids.items()}
    modes = []
    for key in (*ids, "key-three"):
        pipe = Pipe(keys=(*ids, "key-three"), content=ContentRules("off", by_key))
        pipe.ask((b"authorization", b"Bearer " + key.encode()))
        pipe.upstream.stream(HELLO)
        modes.append((len(pipe.contents), pipe.records[0].content))
    assert modes == [(1, "full"), (1, "hash"), (0, "off")]


def test_the_hook_sees_texts_and_what_it_returns_is_kept() -> None:
    rules = ContentRules("full", redact=lambda text: text.replace("Hello", "H*"))
    pipe = Pipe(content=rules)
    pipe.ask(chat_input="Hello you", user="Hello")
    pipe.upstream.stream(HELLO)
    messages, output = decoded(pipe.contents[0])
    assert messages[0]["content"] == "H* you"
    assert output[0]["content"] == "H*!"
    assert bytes(pipe.contents[0].parameters["user"]) == b'"H*"'
    assert pipe.sink.json["chat_output"] == "Hello!"


def test_a_hook_that_fails_keeps_nothing_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(text: str) -> str:
        raise ValueError(text)

    rules = ContentRules("full", redact=broken)
    for _ in range(2):
        pipe = Pipe(content=rules)
        pipe.ask(chat_input="a private text")
        pipe.upstream.stream(HELLO)
        assert pipe.sink.status == 200
        assert pipe.contents == []
        assert pipe.records[0].content == "off"
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.getMessage() for record in errors] == [
        "the content of a request could not be kept; further failures are not logged: "
        "ledger.redact raised ValueError"
    ]
    assert "private" not in caplog.text


# --- Other routes ---------------------------------------------------------------------------------

MODEL = {"model": "openai/gpt-4o"}
PARTS = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}


@for_each(
    "dialect, body, argument, wire, messages",
    [
        (
            AnthropicMessages(),
            {**MODEL, "max_tokens": 9, "system": "Be kind", "messages": HI},
            "",
            "anthropic_messages",
            HI,
        ),
        (OpenAIResponses(), {**MODEL, "input": "Hi"}, "", "openai_responses", HI),
        (OpenAIResponses(), {**MODEL, "input": HI}, "", "openai_responses", HI),
        (GenerateContent(), PARTS, "openai/gpt-4o", "gemini", PARTS["contents"]),
        (OllamaChat(), {**MODEL, "messages": HI, "stream": False}, "", "ollama_chat", HI),
        (OpenAICompletions(), {**MODEL, "prompt": "Hi"}, "", "openai_completions", HI),
    ],
)
def test_messages_stay_in_the_format_of_the_client(
    dialect: Dialect, body: Any, argument: str, wire: str, messages: Any
) -> None:
    pipe = full()
    send(pipe, dialect, body, argument)
    pipe.upstream.whole(WHOLE)
    content = pipe.contents[0]
    assert content.wire == wire
    assert decoded(content) == (messages, ANSWER)
    assert "model" not in content.parameters
    assert "stream" not in content.parameters
    assert ("system" in content.parameters) is ("system" in body)


def test_the_texts_to_embed_are_kept_and_no_vector() -> None:
    pipe = full()
    send(pipe, OpenAIEmbeddings(), {**MODEL, "input": ["a", "b"], "dimensions": 2})
    vectors = [{"index": n, "embedding": [0.1, 0.2]} for n in range(2)]
    pipe.upstream.whole(json.dumps({"data": vectors, "model": "m", "usage": {}}).encode())
    assert decoded(pipe.contents[0]) == (["a", "b"], [])
    assert list(pipe.contents[0].parameters) == ["dimensions"]


def test_the_prompt_and_the_json_of_a_relayed_route_are_kept() -> None:
    pipe = full()
    send(pipe, RELAYED["moderations"], {"model": "openai/omni", "input": "bad words"})
    body = b'{"id":"m","results":[{"flagged":true}]}'
    pipe.upstream.whole(body)
    messages, output = decoded(pipe.contents[0])
    assert messages == [{"role": "user", "content": "bad words"}]
    assert output == [{"role": "assistant", "content": body.decode()}]
    assert pipe.contents[0].wire == "openai_moderations"


def test_the_documents_to_rank_are_kept() -> None:
    pipe = full(provider=KINDS["together"])
    fields = {"model": "openai/jina-reranker", "query": "q", "documents": ["a", "b"]}
    send(pipe, Rerank(is_cohere=False), fields)
    pipe.upstream.whole(b'{"results":[{"index":0,"relevance_score":0.5}]}')
    assert decoded(pipe.contents[0])[0] == [{"role": "user", "content": "q"}]
    assert json.loads(bytes(pipe.contents[0].parameters["documents"])) == ["a", "b"]


def test_of_a_file_in_a_form_its_size_is_kept() -> None:
    def part(head: str, value: bytes) -> bytes:
        return b"--a1\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % (head.encode(), value)

    form = b"".join(
        [
            part('name="model"', b"openai/whisper-1"),
            part('name="prompt"', b"Names: Anna"),
            part('name="language"', b"en"),
            part('name="file"; filename="a.wav"', bytes(100)),
            b"--a1--\r\n",
        ]
    )
    pipe = full()
    headers = ((b"content-type", b"multipart/form-data; boundary=a1"),)
    pipe.send(ClientRequest("", headers, form), RELAYED["audio/transcriptions"])
    pipe.upstream.respond([(b"content-type", b"text/plain")])
    pipe.upstream.chunk(b"Hello Anna")
    pipe.upstream.end()
    content = pipe.contents[0]
    assert decoded(content) == (
        [{"role": "user", "content": "Names: Anna"}],
        [{"role": "assistant", "content": "Hello Anna"}],
    )
    shown = {name: json.loads(bytes(raw)) for name, raw in content.parameters.items()}
    assert shown == {"language": "en", "file": {"bytes": 100}}


def test_speech_has_its_text_and_no_sound() -> None:
    pipe = full()
    send(pipe, RELAYED["audio/speech"], {"model": "openai/tts-1", "input": "Say", "voice": "a"})
    pipe.upstream.respond([(b"content-type", b"audio/mpeg")])
    pipe.upstream.chunk(bytes(range(256)))
    pipe.upstream.end()
    assert decoded(pipe.contents[0]) == ([{"role": "user", "content": "Say"}], [])


# --- Requests that are passed through -------------------------------------------------------------


@for_each("stream", [True, False])
def test_a_passed_through_request_is_kept_where_its_route_is_known(stream: bool) -> None:
    pipe = NativePipe(content=ContentRules("full"))
    body = {"model": "gpt-4o", "messages": HI, "seed": 1, "stream": stream, "api_key": "sk-own-1"}
    pipe.pass_through("/v1/chat/completions", json.dumps(body).encode())
    if stream:
        pipe.upstream.stream(HELLO)
        pipe.upstream.end()
    else:
        pipe.upstream.whole(WHOLE)
    content = pipe.contents[0]
    assert decoded(content) == (HI, ANSWER)
    assert content.wire == "openai_chat"
    assert list(content.parameters) == ["seed"]
    assert pipe.records[0].content == "full"


def test_the_wire_format_of_a_passed_through_request_is_that_of_its_route() -> None:
    pipe = NativePipe(content=ContentRules("full"))
    pipe.pass_through("/v1/responses", b'{"model":"gpt-5","input":"Hi"}')
    pipe.upstream.whole(b'{"id":"resp_1","output":[]}')
    assert pipe.contents[0].wire == "openai_responses"
    assert decoded(pipe.contents[0])[0] == ["Hi"]


@for_each(
    "path, method, body",
    [
        ("/v1/files", "POST", b'{"messages":[]}'),
        ("/v1/models", "GET", b""),
        ("/v1/chat/completions", "POST", b"\x1f\x8b compressed"),
    ],
)
def test_nothing_is_kept_of_a_request_that_cannot_be_read(
    path: str, method: str, body: bytes
) -> None:
    pipe = NativePipe(content=ContentRules("full"))
    pipe.pass_through(path, body, method=method)
    pipe.upstream.whole(b"{}")
    assert pipe.contents == []
    assert pipe.records[0].content == "off"


def test_a_passed_through_operation_has_its_prompt() -> None:
    pipe = NativePipe(content=ContentRules("full"))
    pipe.pass_through("/v1/images/generations", b'{"model":"gpt-image-1","prompt":"a cat"}')
    pipe.upstream.whole(b'{"data":[{"url":"https://x.test/1"}]}')
    assert decoded(pipe.contents[0])[0] == [{"role": "user", "content": "a cat"}]


# --- Secrets --------------------------------------------------------------------------------------

OWN_KEY, GATEWAY_KEY, TOOL_TOKEN = "sk-own-0123456789", "hw-gateway-0123456789", "tok-mcp-987654321"
SAID = f"keys: {OWN_KEY} {GATEWAY_KEY} {KEY}"
TOLD = [{"role": "user", "content": SAID}]
TOOL = {"type": "mcp", "server_url": "https://t.test", "authorization": TOOL_TOKEN,
        "headers": {"Authorization": f"Bearer {TOOL_TOKEN}"}}  # fmt: skip
HEADERS = (
    (b"authorization", b"Bearer " + GATEWAY_KEY.encode()),
    (b"x-headway-provider-key", OWN_KEY.encode()),
    (b"x-api-key", GATEWAY_KEY.encode()),
)


@for_each(
    "dialect, body, argument",
    [
        (None, {"model": "gpt-4o", "chat_input": SAID, "api_key": OWN_KEY,
                "parameters": {"api_key": OWN_KEY, "extra_headers": {"a": TOOL_TOKEN}},
                "tools": [TOOL]}, "openai"),
        (AnthropicMessages(), {**MODEL, "max_tokens": 9, "messages": TOLD,
                               "mcp_servers": [{"authorization_token": TOOL_TOKEN}]}, ""),
        (OpenAIResponses(), {**MODEL, "input": [*TOLD, {"type": "additional_tools",
                                                       "tools": [TOOL]}], "tools": [TOOL]}, ""),
        (GenerateContent(), {"contents": [{"parts": [{"text": SAID}]}]}, "openai/gpt-4o"),
        (OllamaChat(), {**MODEL, "messages": TOLD, "stream": False}, ""),
        (OpenAICompletions(), {**MODEL, "prompt": SAID}, ""),
        (OpenAIEmbeddings(), {**MODEL, "input": SAID}, ""),
        (RELAYED["moderations"], {**MODEL, "input": SAID}, ""),
    ],
)  # fmt: skip
def test_no_key_reaches_the_spool(dialect: Dialect | None, body: Any, argument: str) -> None:
    pipe = full(keys=(GATEWAY_KEY,))
    request = ClientRequest(argument, HEADERS, json.dumps(body).encode(), f"key={GATEWAY_KEY}")
    if dialect is None:
        pipe.send(request)
    else:
        pipe.send(request, dialect)
    if pipe.upstream_requests:
        answer = WHOLE.replace(b"Hello!", f"Your keys: {SAID}".encode())
        pipe.upstream.whole(answer)
    assert pipe.contents
    written = b"".join(pipe.spool.lines).decode()
    for secret in (OWN_KEY, GATEWAY_KEY, KEY, TOOL_TOKEN):
        assert secret not in written


def test_no_key_of_a_passed_through_request_reaches_the_spool() -> None:
    pipe = NativePipe(content=ContentRules("full"), keys=(GATEWAY_KEY,))
    body = {"model": "gpt-4o", "messages": TOLD, "authorization": TOOL_TOKEN, "tools": [TOOL]}
    pipe.pass_through("/v1/chat/completions", json.dumps(body).encode(), *HEADERS)
    pipe.upstream.whole(WHOLE)
    assert pipe.contents
    written = b"".join(pipe.spool.lines).decode()
    for secret in (OWN_KEY, GATEWAY_KEY, KEY, TOOL_TOKEN):
        assert secret not in written
