from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from headway.errors import ShuttingDown, UpstreamAuth, UpstreamDisconnected, UpstreamUnreachable
from headway.events import Event
from headway.providers.anthropic import provider as anthropic
from headway.providers.openai import provider as openai
from headway.types import Frame
from support.native_fakes import NativePipe
from support.pipeline_fakes import DONE, JSON, KEY, STOP, WHOLE, Gate, in_loop, text
from support.routed_pipe import several_keys

CHAT = "/v1/chat/completions"
ASKED = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}).encode()


def test_a_route_that_is_known_is_metered_and_its_bytes_stay() -> None:
    pipe = NativePipe()
    pipe.pass_through(CHAT, ASKED)
    pipe.clock.now += 0.5
    pipe.upstream.whole(WHOLE)

    assert pipe.sink.body == WHOLE
    assert pipe.sink.status == 200
    (record,) = pipe.records
    assert (record.input_tokens, record.output_tokens, record.tokens_source) == (6, 26, "reported")
    assert record.cost_usd == "0.000058"
    assert record.time_to_first_token_s == 0.5
    assert (record.model, record.deployment) == ("gpt-4o", "gpt-4o-2024-08-06")
    assert (record.dialect, record.native_path) == ("native", f"POST {CHAT}")
    assert record.upstream_request_bytes == len(ASKED)
    assert record.response_bytes == record.upstream_response_bytes == len(WHOLE)
    assert pipe.gateway.active == set()


def test_tokens_that_are_not_reported_are_counted_after_the_answer() -> None:
    pipe = NativePipe()
    pipe.counting = Gate()
    pipe.pass_through(CHAT, ASKED)
    pipe.upstream.stream(text("Hello"), STOP, DONE)
    pipe.upstream.end()

    assert pipe.sink.is_over  # before the count
    assert pipe.records == []
    pipe.counting.set(None)
    (record,) = pipe.records
    assert (record.input_tokens, record.output_tokens, record.tokens_source) == (3, 4, "counted")
    ((model, messages, output),) = pipe.counted
    assert (model, output) == ("gpt-4o", "Hello")
    assert json.loads(messages) == [{"role": "user", "content": "Hi"}]


def test_embeddings_are_read_too() -> None:
    pipe = NativePipe()
    pipe.pass_through("/v1/embeddings", b'{"model": "gpt-4o", "input": ["a"]}')
    body = {"data": [{"index": 0, "embedding": [1.0]}], "model": "gpt-4o", "usage": {}}
    pipe.upstream.whole(json.dumps({**body, "usage": {"prompt_tokens": 4}}).encode())
    (record,) = pipe.records
    assert (record.input_tokens, record.output_tokens) == (4, 0)
    assert record.cost_usd == "0.000004"


def test_images_audio_and_their_like_are_read_too() -> None:
    image = {"created": 1, "data": [], "usage": {"input_tokens": 5, "output_tokens": 7}}
    pipe = NativePipe()
    pipe.pass_through("/v1/images/generations", b'{"model": "gpt-image-1", "prompt": "a"}')
    pipe.upstream.whole(json.dumps(image).encode())
    (record,) = pipe.records
    assert (record.model, record.input_tokens, record.output_tokens) == ("gpt-image-1", 5, 7)

    form = b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--b--\r\n'
    kind = (b"content-type", b"multipart/form-data; boundary=b")
    heard = NativePipe()
    heard.pass_through("/v1/audio/transcriptions", form, kind)
    heard.upstream.whole(b'{"text": "a", "usage": {"type": "duration", "seconds": 3}}')
    (record,) = heard.records
    assert (record.model, record.audio_seconds) == ("whisper-1", 3.0)
    assert heard.upstream.request.body == form

    spoken = NativePipe()
    spoken.pass_through("/audio/speech", b'{"model": "tts-1", "input": "four", "voice": "a"}')
    spoken.upstream.respond([(b"content-type", b"audio/mpeg")])
    spoken.upstream.chunk(b"\xff\xfb", b"\x00\n\n")
    spoken.upstream.end()
    assert spoken.sink.body == b"\xff\xfb\x00\n\n"
    (record,) = spoken.records
    assert (record.model, record.input_characters) == ("tts-1", 4)

    odd = NativePipe()
    odd.pass_through("/v1/images/generations", b'{"api_key": "x", "model": "m"}')
    odd.upstream.whole(b"{}")
    assert "does not read" in (odd.records[0].cost_unknown_reason or "")


def test_what_cannot_be_read_is_passed_on_and_has_no_cost() -> None:
    for body in (b"no json", b"{}", b'{"usage": 1}', b'[{"a": 1}, 2]', b"\xff"):
        pipe = NativePipe()
        pipe.pass_through(CHAT, b'{"model": "gpt-4o"}')
        pipe.upstream.whole(body)
        assert pipe.sink.body == body
        (record,) = pipe.records
        assert (record.outcome, record.cost_usd, record.input_tokens) == ("ok", None, None), body
        assert record.cost_unknown_reason == (
            "the response says nothing about its usage that the gateway could read"
        )


def test_a_broken_stream_is_passed_on() -> None:
    pipe = NativePipe()
    pipe.pass_through(CHAT, b'{"model": "gpt-4o"}')
    pieces = [b"data: {broken\n\n", b"data: more\n\n"]
    pipe.upstream.stream(*pieces)
    pipe.upstream.end()
    assert pipe.sink.pieces == [*pieces, b""]
    assert pipe.records[0].outcome == "ok"


def test_an_error_in_a_stream_is_on_record() -> None:
    pipe = NativePipe()
    pipe.pass_through(CHAT, ASKED)
    broken = b'data: {"error": {"message": "too much", "code": "overloaded"}}\n\n'
    pipe.upstream.stream(text("Hel"), broken)
    pipe.upstream.end()
    assert pipe.sink.body.endswith(broken)
    (record,) = pipe.records
    assert (record.outcome, record.status) == ("error", 200)
    assert record.error_message == "too much"


def test_a_reader_with_a_defect_changes_nothing_for_the_client(caplog: Any) -> None:
    def decode(frame: Frame, state: Any) -> list[Event]:
        raise ZeroDivisionError

    pipe = NativePipe(provider=replace(openai.PROVIDER, decode_event=decode))
    pipe.pass_through(CHAT, b'{"model": "gpt-4o"}')
    pipe.upstream.stream(text("a"), text("b"))
    pipe.upstream.end()
    assert pipe.sink.body == text("a") + text("b")
    assert "could not be read" in caplog.text
    assert pipe.records[0].outcome == "ok"


def test_what_came_is_passed_on_no_faster_than_the_client_reads() -> None:
    pipe = NativePipe()
    pipe.sink.is_paused = True
    pipe.pass_through()
    assert pipe.upstream.history == ["pause"]
    assert pipe.sink.on_resume is not None
    in_loop(pipe.sink.on_resume)
    assert pipe.upstream.history == ["pause", "resume"]


def test_failures_before_an_answer_are_errors_of_the_gateway() -> None:
    pipe = NativePipe()
    pipe.pass_through()
    pipe.upstream.fail(UpstreamUnreachable(f"cannot reach it with {KEY}", code="unreachable"))
    assert pipe.sink.status == 502
    assert pipe.sink.json["error"]["message"] == "cannot reach it with ***"
    assert pipe.sink.json["error"]["provider"] == "openai"
    (record,) = pipe.records
    assert (record.outcome, record.status, record.attempt) == ("error", 502, 1)


def test_the_status_on_record_is_the_one_that_the_provider_s_clients_know() -> None:
    broken = NativePipe(provider=anthropic.PROVIDER)
    broken.pass_through("/v1/messages")
    broken.upstream.fail(UpstreamUnreachable("cannot reach it", code="unreachable"))
    assert (broken.sink.status, broken.records[0].status) == (500, 500)  # of its own it is 502

    unfit = NativePipe(provider=anthropic.PROVIDER, base_url="ftp://a")
    unfit.pass_through("/v1/messages")
    assert unfit.sink.status == unfit.records[0].status


def test_an_answer_that_breaks_off_is_not_ended() -> None:
    pipe = NativePipe()
    pipe.pass_through()
    pipe.upstream.respond(JSON)
    pipe.upstream.chunk(b"{")
    pipe.upstream.fail(UpstreamDisconnected("gone", code="disconnected"))
    assert pipe.sink.kinds == ["start", "write", "abort"]
    assert pipe.records[0].error_code == "disconnected"


def test_a_client_that_leaves_cancels_the_request() -> None:
    pipe = NativePipe()
    pipe.pass_through()
    pipe.upstream.respond(JSON)
    pipe.sink.leave()
    assert pipe.upstream.history == ["cancel"]
    assert pipe.sink.kinds == ["start"]
    (record,) = pipe.records
    assert (record.outcome, record.status) == ("cancelled", 200)


def test_a_shutdown_ends_what_is_in_progress() -> None:
    pipe = NativePipe()
    pipe.pass_through()
    assert pipe.gateway.active == {pipe.call}
    pipe.call.keep_alive(0.0, 0.0)
    pipe.abort(ShuttingDown("bye"))
    assert pipe.sink.status == 503
    assert pipe.records[0].error_type == "shutting_down"
    pipe.gateway.is_closing = True
    again = NativePipe()
    again.gateway.is_closing = True
    again.pass_through()
    assert again.sink.status == 503
    assert again.upstream_requests == []


def test_nothing_is_passed_through_while_no_record_can_be_kept() -> None:
    pipe = NativePipe()
    pipe.gateway.is_refusing = True
    pipe.pass_through()
    assert pipe.sink.status == 503
    assert (pipe.upstream_requests, pipe.records) == ([], [])


def test_credentials_are_awaited_and_a_client_may_leave_meanwhile() -> None:
    gate: Gate[dict[str, str]] = Gate()

    class Source:
        def cached(self) -> None:
            return None

        async def credentials(self) -> dict[str, str]:
            return await gate.wait()

    options = {"credentials": Source(), "api_key": None, "needs_key": False}
    left = NativePipe(**options)
    left.pass_through()
    left.sink.leave()
    assert (left.records[0].outcome, left.sink.got) == ("cancelled", [])

    pipe = NativePipe(**options)
    pipe.pass_through()
    pipe.clock.now += 5
    gate.set({"access_token": "token-1"})
    assert ("authorization", "Bearer token-1") in pipe.upstream.request.headers
    pipe.upstream.whole(b"{}")
    assert pipe.records[0].gateway_overhead_s == 0.0


def test_a_long_error_is_passed_on_from_a_limit_on() -> None:
    pipe = NativePipe()
    pipe.pass_through()
    pipe.upstream.respond(JSON, 500)
    piece = b"x" * 200_000
    pipe.upstream.chunk(piece, piece)
    assert pipe.sink.kinds == ["start", "write"]
    pipe.upstream.chunk(piece)
    pipe.upstream.end()
    assert len(pipe.sink.body) == 600_000
    assert pipe.records[0].status == 500


def test_a_status_that_http_does_not_have_is_an_error() -> None:
    pipe = NativePipe()
    pipe.pass_through()
    pipe.upstream.respond(JSON, 777)
    assert pipe.sink.status == 502
    assert pipe.upstream.history == ["cancel"]


def test_a_record_that_cannot_be_written_is_no_answer_that_looks_complete() -> None:
    class Full:
        def append(self, line: bytes) -> None:
            raise OSError("no space")

    pipe = NativePipe()
    pipe.gateway.spool = Full()
    pipe.pass_through()
    pipe.upstream.whole(b"{}")
    assert pipe.sink.kinds == ["start", "write", "abort"]


def test_defects_are_answers_without_details(caplog: Any) -> None:
    def fail(*_: Any) -> Any:
        raise ZeroDivisionError

    native = replace(openai.PROVIDER.native, base_url=fail)
    pipe = NativePipe(provider=replace(openai.PROVIDER, native=native))
    pipe.pass_through()
    assert pipe.sink.status == 500
    assert "ZeroDivisionError" not in pipe.sink.body.decode()
    assert "defect" in caplog.text

    failing = NativePipe(provider=replace(openai.PROVIDER, decode_error=fail))
    failing.pass_through()
    failing.upstream.whole(b"{}", 400)
    assert failing.sink.kinds[-1] == "abort"
    assert failing.gateway.active == set()


def test_the_operator_can_switch_it_off() -> None:
    pipe = NativePipe()
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, passthrough=False)
    pipe.pass_through()
    assert pipe.sink.status == 403
    assert "server.passthrough" in pipe.sink.json["error"]["message"]
    assert pipe.records[0].outcome == "refused"


def test_only_addresses_of_http_are_called() -> None:
    pipe = NativePipe(base_url="echo://echo")
    pipe.pass_through()
    assert pipe.sink.status == 400
    for base_url in ("unix:/run/model.sock:/v1", "http+unix://%2Frun%2Fmodel.sock/v1"):
        local = NativePipe(base_url=base_url)
        local.pass_through("/v1/models")
        url = local.upstream.request.url
        assert (url.host, url.path) == ("/run/model.sock", "/v1/models")


def test_models_are_known_from_body_path_and_query() -> None:
    cases = {
        ("/v1/images", b'{"model": "m"}', ""): "m",
        ("/v1/images", b'{"model": ["m"]}', ""): None,
        ("/v1/images", b'{"model": "' + b"m" * 400 + b'"}', ""): None,
        ("/v1/images", b'{"model": "\\ud800"}', ""): None,
        ("/v1/images", b"{broken", ""): None,
        ("/v1/images", b"", "model=m&x=y"): "m",
        ("/v1/images", b"--form", "model=m"): None,
    }
    for (path, body, query), expected in cases.items():
        pipe = NativePipe()
        pipe.pass_through(path, body, query=query)
        pipe.upstream.whole(b"{}")
        assert pipe.records[0].model == expected, (body, query)


def test_the_ids_of_a_request_are_recorded_with_its_session() -> None:
    pipe = NativePipe()
    headers = ((b"x-request-id", b"mine"), (b"x-session-id", b"s-1"))
    pipe.pass_through("/v1/files", b"", *headers)
    pipe.upstream.respond([(b"x-request-id", b"theirs")])
    pipe.upstream.end()
    (record,) = pipe.records
    assert (record.request_id, record.session_id) == ("mine", "s-1")
    assert record.upstream_request_id == "theirs"
    assert pipe.sink.headers[b"x-headway-request-id"] == b"mine"
    assert pipe.sink.headers[b"x-request-id"] == b"theirs"


def test_a_stream_is_not_held_back_by_proxies() -> None:
    pipe = NativePipe()
    pipe.pass_through()
    pipe.upstream.respond()
    assert pipe.sink.headers[b"x-accel-buffering"] == b"no"


def new_keyed_pipe() -> NativePipe:
    pipe = NativePipe()
    snapshot = pipe.gateway.snapshot
    keyed = replace(snapshot.upstreams["openai"], keys=several_keys("openai"))
    pipe.gateway.snapshot = replace(snapshot, upstreams={"openai": keyed})
    return pipe


def test_one_of_several_keys_is_used_that_no_provider_refused() -> None:
    pipe = new_keyed_pipe()
    pipe.rng = 0.0

    def key_sent() -> str:
        pipe.pass_through(CHAT, ASKED)
        return dict(pipe.upstream.request.headers)["authorization"]

    assert key_sent() == "Bearer sk-secret-number-1"
    state, now = pipe.gateway.routing_state, pipe.clock()
    refused = state.begin("openai/gpt-4o", "openai#1", now, False)
    refused.on_failure(UpstreamAuth("No."), now)
    assert key_sent() == "Bearer sk-secret-number-2"
