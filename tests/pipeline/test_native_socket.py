from __future__ import annotations

import json
from functools import partial
from typing import Any

from msgspec.structs import replace

from headway.errors import ShuttingDown, UpstreamDisconnected
from headway.pipeline.content_rules import ContentRules
from headway.ports import UpgradeReceiver
from headway.types import Headers
from support.native_fakes import NativePipe
from support.pipeline_fakes import FakeUpstreamRequest, in_loop

HANDSHAKE = (
    (b"upgrade", b"websocket"),
    (b"connection", b"Upgrade"),
    (b"sec-websocket-key", b"a2V5"),
    (b"sec-websocket-extensions", b"permessage-deflate"),
)
ACCEPTED: Headers = [(b"upgrade", b"websocket"), (b"sec-websocket-accept", b"YWNj")]


def frame(message: Any) -> bytes:
    payload = json.dumps(message).encode()
    return b"\x81\x7e" + len(payload).to_bytes(2, "big") + payload


def done(**usage: Any) -> bytes:
    return frame({"type": "response.done", "response": {"usage": usage}, "pad": "x" * 100})


class Session:
    """An open session: the provider's side."""

    def __init__(self, pipe: NativePipe, is_writable: bool = True) -> None:
        self.pipe = pipe
        self.upstream: FakeUpstreamRequest = pipe.upstream
        self.written: list[bytes] = []
        self.is_writable = is_writable
        self.upstream.write = self.write  # type: ignore[attr-defined]
        receiver = self.upstream.receiver
        assert isinstance(receiver, UpgradeReceiver)
        self.receiver = receiver
        in_loop(partial(receiver.on_upgrade, ACCEPTED, pipe.clock()))

    def write(self, data: bytes) -> bool:
        self.written.append(data)
        return self.is_writable


def opened(
    is_writable: bool = True, body_limit: int = 1000, **options: Any
) -> tuple[NativePipe, Session]:
    pipe = NativePipe(**options)
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, body_limit=body_limit)
    pipe.pass_through(
        "/v1/realtime", b"", *HANDSHAKE, method="GET", query="model=gpt-4o", is_socket=True
    )
    return pipe, Session(pipe, is_writable)


def test_the_handshake_goes_to_the_provider_and_its_answer_back() -> None:
    pipe, session = opened()
    headers = dict(session.upstream.request.headers)
    assert session.upstream.request.method == "GET"
    assert session.upstream.request.url.path == "/v1/realtime?model=gpt-4o"
    assert headers["upgrade"] == "websocket"
    assert headers["connection"] == "Upgrade"
    assert headers["sec-websocket-key"] == "a2V5"
    assert "sec-websocket-extensions" not in headers
    assert pipe.sink.status == 101
    assert pipe.sink.headers[b"sec-websocket-accept"] == b"YWNj"
    assert b"upgrade" not in pipe.sink.headers  # the sink writes it
    assert pipe.transport.timeouts[0].total == float("inf")


def test_bytes_go_both_ways_and_are_counted() -> None:
    pipe, session = opened()
    pipe.sink.say(b"up")
    session.upstream.chunk(b"\x82\x02", b"ab")
    pipe.clock.now += 60
    session.upstream.end()
    assert session.written == [b"up"]
    assert pipe.sink.pieces == [b"\x82\x02", b"ab", b""]
    (record,) = pipe.records
    assert (record.outcome, record.status, record.latency_s) == ("ok", 101, 60.0)
    assert (record.upstream_request_bytes, record.response_bytes) == (2, 4)
    assert record.cost_usd is None
    assert "says nothing" in (record.cost_unknown_reason or "")


def test_the_usage_of_all_responses_of_a_session_is_added_up() -> None:
    pipe, session = opened()
    session.upstream.chunk(
        frame({"type": "session.created", "session": {"model": "gpt-4o"}, "pad": "x" * 100}),
        done(input_tokens=10, output_tokens=2) + done(input_tokens=20, output_tokens=3)[:40],
    )
    session.upstream.chunk(done(input_tokens=20, output_tokens=3)[40:])
    session.upstream.end()
    (record,) = pipe.records
    assert (record.input_tokens, record.output_tokens) == (30, 5)
    assert (record.tokens_source, record.cost_usd) == ("reported", "0.000040")


def test_a_provider_that_reads_slowly_pauses_the_client() -> None:
    pipe, session = opened(is_writable=False)
    pipe.sink.say(b"a")
    assert pipe.sink.reads == ["pause"]
    in_loop(partial(session.receiver.on_sent, pipe.clock()))
    assert pipe.sink.reads == ["pause", "resume"]


def test_a_client_that_leaves_ends_the_session_in_order() -> None:
    pipe, session = opened()
    pipe.sink.leave()
    assert session.upstream.history == ["cancel"]
    assert pipe.records[0].outcome == "ok"


def test_a_session_that_is_ended_gets_a_close_frame_between_frames_only() -> None:
    pipe, session = opened()
    session.upstream.chunk(b"\x82\x01a")
    pipe.abort(ShuttingDown("bye"))
    assert pipe.sink.pieces[-1] == b"\x88\x02\x03\xe9"
    assert pipe.sink.kinds[-1] == "abort"
    assert pipe.records[0].error_type == "shutting_down"

    pipe, session = opened()
    session.upstream.chunk(b"\x82\x05a")
    session.upstream.fail(UpstreamDisconnected("gone", code="disconnected"))
    assert pipe.sink.pieces == [b"\x82\x05a"]
    assert (pipe.records[0].outcome, pipe.records[0].status) == ("error", 101)


def test_an_answer_that_is_no_switch_is_passed_on() -> None:
    pipe = NativePipe()
    pipe.pass_through("/v1/realtime", b"", *HANDSHAKE, method="GET", is_socket=True)
    in_loop(partial(pipe.upstream.receiver.on_sent, pipe.clock()))
    pipe.upstream.whole(b'{"error": {"message": "no such model"}}', 404)
    assert (pipe.sink.status, pipe.sink.body) == (404, b'{"error": {"message": "no such model"}}')
    assert pipe.records[0].error_message == "no such model"


def test_a_client_that_leaves_before_the_answer_cancels_the_handshake() -> None:
    pipe = NativePipe()
    pipe.pass_through("/v1/realtime", b"", *HANDSHAKE, method="GET", is_socket=True)
    pipe.sink.leave()
    assert pipe.upstream.history == ["cancel"]
    assert pipe.records[0].outcome == "cancelled"


def test_openais_route_finds_the_provider_by_the_model() -> None:
    def realtime(query: str) -> NativePipe:
        pipe = NativePipe()
        pipe.pass_through(
            "", b"", *HANDSHAKE, method="GET", query=query, provider="", is_socket=True
        )
        return pipe

    pipe = realtime("a=%20b&model=openai/gpt-4o%20x&c")
    assert pipe.upstream.request.url.path == "/v1/realtime?a=%20b&model=gpt-4o%20x&c"
    Session(pipe).upstream.end()
    (record,) = pipe.records
    assert (record.route, record.dialect) == ("/v1/realtime", "openai_realtime")
    assert (record.provider, record.model) == ("openai", "gpt-4o x")

    missing = realtime("a=b")
    assert missing.sink.status == 400
    assert missing.sink.json["error"]["param"] == "model"
    unknown = realtime("model=nobody/gpt")
    assert unknown.sink.status == 404


def test_a_message_that_a_reader_fails_on_is_passed_on(caplog: Any) -> None:
    from msgspec.structs import replace

    from headway.providers.openai import provider as openai

    def read(payload: bytes) -> Any:
        raise ZeroDivisionError

    native = replace(openai.PROVIDER.native, read_message=read)
    pipe, session = opened(provider=replace(openai.PROVIDER, native=native))
    session.upstream.chunk(frame({"pad": "x" * 200}))
    assert pipe.sink.pieces == [frame({"pad": "x" * 200})]
    assert "could not be read" in caplog.text

    silent = replace(openai.PROVIDER.native, read_message=None, realtime_path=None)
    pipe, session = opened(provider=replace(openai.PROVIDER, native=silent))
    session.upstream.chunk(frame({"pad": "x" * 200}))
    session.upstream.end()
    assert "does not read" in (pipe.records[0].cost_unknown_reason or "")

    none = NativePipe(provider=replace(openai.PROVIDER, native=silent))
    none.pass_through(
        "", b"", *HANDSHAKE, method="GET", query="model=openai/m", provider="", is_socket=True
    )
    assert none.sink.status == 400
    assert "no Realtime API" in none.sink.json["error"]["message"]


# --- Content --------------------------------------------------------------------------------------


def said(name: str, role: str, *parts: Any, event: str = "conversation.item.added") -> bytes:
    item = {"id": name, "type": "message", "role": role, "content": list(parts)}
    return frame({"type": event, "item": item, "pad": "x" * 100})


def transcribed(name: str, text: str) -> bytes:
    event = "conversation.item.input_audio_transcription.completed"
    return frame({"type": event, "item_id": name, "transcript": text, "pad": "x" * 100})


def test_the_conversation_is_kept_where_content_is() -> None:
    pipe, session = opened(content=ContentRules("full"), body_limit=10_000)
    answer = {"id": "a", "type": "message", "role": "assistant", "content": [{"text": "Hello"}]}
    session.upstream.chunk(
        frame({"type": "session.created", "session": {"instructions": "Be kind"}, "pad": "x" * 99})
        + said("u", "user", {"type": "input_audio", "transcript": None})
        + said("lost", "user", {"text": "never mind"})
        + said("a", "assistant")
        + transcribed("u", "Hi")
        + said("u", "user", {"type": "input_audio"}, event="conversation.item.done")
        + transcribed("unknown", "?")
        + frame({"type": "conversation.item.deleted", "item_id": "lost", "pad": "x" * 100})
        + frame({"type": "response.done", "response": {"output": [answer]}, "pad": "x" * 100})
    )
    session.upstream.end()
    (kept,) = pipe.contents
    (record,) = pipe.records
    assert (kept.call_id, kept.wire, record.content) == (record.call_id, "openai_chat", "full")
    assert json.loads(bytes(kept.messages)) == [
        {"content": "Be kind", "role": "system"},
        {"content": "Hi", "role": "user"},
    ]
    assert json.loads(bytes(kept.output)) == [{"content": "Hello", "role": "assistant"}]


def test_hashes_of_a_conversation_are_kept_where_the_rules_say_so() -> None:
    pipe, session = opened(content=ContentRules("hash"))
    session.upstream.chunk(said("u", "user", {"text": "Hi"}))
    session.upstream.end()
    assert b"Hi" not in bytes(pipe.contents[0].messages)
    assert pipe.records[0].content == "hash"


def test_a_long_conversation_is_kept_as_far_as_the_limit() -> None:
    pipe, session = opened(content=ContentRules("full"))
    session.upstream.chunk(*[said(str(at), "user", {"text": str(at)}) for at in range(10)])
    session.upstream.end()
    kept = json.loads(bytes(pipe.contents[0].messages))
    assert 2 <= len(kept) < 10
    assert [message["content"] for message in kept] == [str(at) for at in range(len(kept))]


def test_nothing_is_kept_of_a_session_without_messages_or_without_content() -> None:
    for options in ({"content": ContentRules("full")}, {}):
        pipe, session = opened(**options)
        session.upstream.chunk(done(input_tokens=1))
        if not options:
            session.upstream.chunk(said("u", "user", {"text": "Hi"}))
        session.upstream.end()
        assert pipe.contents == []
        assert pipe.records[0].content == "off"
