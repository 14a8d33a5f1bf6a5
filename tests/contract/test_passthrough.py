"""Requests that are passed through to a provider's own API, by the official clients and by hand."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.gateway_process import GATE_KEY, SERVER_KEY, SERVER_MODES, Gateway
from support.lazy_import import lazy_import
from support.scripted_server import Received, Reply, ThreadedServer, answer, chunked, sse
from support.waiting import until

openai = lazy_import("openai")
anthropic = lazy_import("anthropic")
genai = lazy_import("google.genai")

USAGE = {"prompt_tokens": 6, "completion_tokens": 26, "total_tokens": 32}
AUTHORIZED = {"authorization": f"Bearer {GATE_KEY}"}


class Provider:
    """A provider of every API: ``reply`` says what the next request gets."""

    def __init__(self) -> None:
        self.reply: Reply | Callable[[Received], Reply] = answer(b"{}")
        self.server = ThreadedServer([self.respond])

    def respond(self, request: Received) -> Any:
        return self.reply(request) if callable(self.reply) else self.reply

    @property
    def last(self) -> Received:
        return self.server.requests[-1]


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    provider = Provider()
    with provider.server:
        yield provider


@pytest.fixture
def provider(running: Provider) -> Provider:
    running.server.requests.clear()
    running.reply = answer(b"{}")
    return running


@pytest.fixture(scope="module", params=SERVER_MODES)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, running: Provider
) -> Iterator[Gateway]:
    url = running.server.url
    one = {"api_key": SERVER_KEY}
    config = {
        "server": {"api_keys": [GATE_KEY], "body_limit": 1 << 20},
        "providers": {
            "openai": {**one, "kind": "openai", "base_url": f"{url}/v1"},
            "anthropic": {**one, "kind": "anthropic", "base_url": url},
            "gemini": {**one, "kind": "gemini", "base_url": f"{url}/v1beta"},
            "azure": {**one, "kind": "azure_openai", "base_url": url},
            "hasty": {**one, "kind": "openai", "base_url": url, "timeouts": {"idle": 0.4}},
            "bedrock": {
                "kind": "bedrock",
                "base_url": url,
                "region": "us-east-1",
                "access_key": "AKIDEXAMPLE",
                "secret_key": SERVER_KEY,
            },
        },
    }
    gateway = Gateway.start(tmp_path_factory.mktemp("native"), config, mode=request.param)
    yield gateway
    gateway.stop()
    assert gateway.leaks() == []


def last_record(server: Gateway, count: int) -> dict[str, Any]:
    """The record after the first ``count``."""
    return until(lambda: server.records()[count:])[0]


def test_openais_client_uploads_files_and_lists_models(server: Gateway, provider: Provider) -> None:
    client = openai.OpenAI(base_url=f"{server.base_url}/providers/openai/v1", api_key=GATE_KEY)
    uploaded = {"id": "file-1", "object": "file", "bytes": 9, "created_at": 1}
    provider.reply = answer(json.dumps(uploaded).encode())

    file = client.files.create(file=("a.jsonl", b'{"a": 1}\n'), purpose="batch")

    assert file.id == "file-1"
    request = provider.last
    assert (request.method, request.target) == ("POST", "/v1/files")
    assert (request.header("content-type") or "").startswith("multipart/form-data; boundary=")
    assert b'{"a": 1}\n' in request.body
    assert request.header("authorization") == f"Bearer {SERVER_KEY}"

    listed = {"object": "list", "data": [{"id": "gpt-4o", "object": "model", "created": 1}]}
    provider.reply = answer(json.dumps(listed).encode())
    assert [model.id for model in client.models.list()] == ["gpt-4o"]

    provider.reply = chunked(b"line 1\n", b"line 2\n", headers=[("content-type", "text/plain")])
    assert client.files.content("file-1").text == "line 1\nline 2\n"

    provider.reply = answer(
        json.dumps({"id": "file-1", "object": "file", "deleted": True}).encode()
    )
    assert client.files.delete("file-1").deleted
    assert provider.last.method == "DELETE"


def test_a_chat_that_is_passed_through_is_metered(server: Gateway, provider: Provider) -> None:
    client = openai.OpenAI(base_url=f"{server.base_url}/providers/openai", api_key=GATE_KEY)
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
    provider.reply = sse(
        json.dumps({**chunk, "choices": [{"index": 0, "delta": {"content": "Hi"}}]}).encode(),
        json.dumps(
            {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        ).encode(),
        json.dumps({**chunk, "choices": [], "usage": USAGE}).encode(),
        b"[DONE]",
    )
    before = len(server.records())

    stream = client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Hi"}], stream=True
    )
    pieces = [event.choices[0].delta.content for event in stream if event.choices]

    assert pieces == ["Hi", None]
    assert provider.last.target == "/v1/chat/completions"
    record = last_record(server, before)
    assert record["native_path"] == "POST /chat/completions"
    assert (record["input_tokens"], record["output_tokens"]) == (6, 26)
    assert record["cost_usd"] == "0.00027500"
    assert record["time_to_first_token_s"] > 0
    assert (record["outcome"], record["status"], record["stream"]) == ("ok", 200, True)
    assert (record["provider"], record["model"]) == ("openai", "gpt-4o")


def test_anthropics_client_streams_and_lists_batches(server: Gateway, provider: Provider) -> None:
    client = anthropic.Anthropic(
        base_url=f"{server.base_url}/providers/anthropic", api_key=GATE_KEY
    )
    usage = {"input_tokens": 10, "output_tokens": 1}
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": "claude-sonnet-5",
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    events = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": "Hello"},
        },
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 5},
        },
        {"type": "message_stop"},
    ]
    frames = [f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events]
    provider.reply = chunked(*frames, headers=[("content-type", "text/event-stream")])
    before = len(server.records())

    with client.messages.stream(
        model="claude-sonnet-5", max_tokens=9, messages=[{"role": "user", "content": "Hi"}]
    ) as stream:
        assert "".join(stream.text_stream) == "Hello"

    assert provider.last.target == "/v1/messages"
    assert provider.last.header("x-api-key") == SERVER_KEY
    assert provider.last.header("authorization") is None
    record = last_record(server, before)
    assert (record["input_tokens"], record["output_tokens"]) == (10, 5)
    assert record["cost_usd"] is not None

    provider.reply = answer(b'{"data": [], "has_more": false, "first_id": null, "last_id": null}')
    assert list(client.messages.batches.list(limit=5)) == []
    assert provider.last.target == "/v1/messages/batches?limit=5"

    provider.reply = answer(
        b'{"type": "error", "error": {"type": "not_found_error", "message": "no such batch"}}', 404
    )
    with pytest.raises(anthropic.NotFoundError, match="no such batch"):
        client.messages.batches.retrieve("b")
    unauthorized = anthropic.Anthropic(base_url=client.base_url, api_key="wrong", max_retries=0)
    with pytest.raises(anthropic.AuthenticationError, match="not valid"):
        unauthorized.models.list()


def test_googles_client_generates_and_uploads(server: Gateway, provider: Provider) -> None:
    client = genai.Client(
        api_key=GATE_KEY,
        http_options={"base_url": f"{server.base_url}/providers/gemini"},
    )
    response = {
        "candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}}],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5},
        "modelVersion": "gemini-2.5-pro",
    }
    provider.reply = answer(json.dumps(response).encode())
    before = len(server.records())

    generated = client.models.generate_content(model="gemini-2.5-pro", contents="Hello")

    assert generated.text == "Hi"
    assert provider.last.target == "/v1/models/gemini-2.5-pro:generateContent"
    assert provider.last.header("x-goog-api-key") == SERVER_KEY
    record = last_record(server, before)
    assert (record["model"], record["input_tokens"]) == ("gemini-2.5-pro", 3)
    assert record["output_tokens"] == 2

    provider.reply = accept_upload
    file = client.files.upload(file=io.BytesIO(b"text"), config={"mime_type": "text/plain"})
    assert file.name == "files/1"
    started, uploaded = provider.server.requests[-2:]
    assert started.target == "/upload/v1/files"
    assert started.header("x-goog-api-key") == SERVER_KEY
    assert uploaded.target == "/upload/v1/files?upload_id=1"  # at the provider: it needs no key
    assert uploaded.body == b"text"


def accept_upload(request: Received) -> Reply:
    """Google's resumable upload: the first answer says where the bytes go, at its own host."""
    if request.header("x-goog-upload-command") == "start":
        session = f"http://{request.header('host')}/upload/v1/files?upload_id=1"
        return answer(b"", headers=[("x-goog-upload-url", session)])
    file = {"name": "files/1", "uri": "u", "mimeType": "text/plain", "state": "ACTIVE"}
    status = [("x-goog-upload-status", "final"), ("content-type", "application/json")]
    return answer(json.dumps({"file": file}).encode(), headers=status)


def test_path_query_and_headers_go_to_the_provider_as_they_are(
    server: Gateway, provider: Provider
) -> None:
    headers = {
        **AUTHORIZED,
        "x-api-key": GATE_KEY,
        "x-goog-api-key": GATE_KEY,
        "api-key": GATE_KEY,
        "cookie": "a=b",
        "x-headway-metrics": "1",
        "x-custom": "kept",
        "x-hop": "dropped",
        "connection": "keep-alive, x-hop",
        "openai-beta": "assistants=v2",
    }
    path = "/providers/openai/v1/a%2Fb/%7Bc%7D;d?x=%20&y=a+b&y=&z"
    provider.reply = answer(
        b"x" * 10,
        206,
        [
            ("content-type", "application/octet-stream"),
            ("x-request-id", "req_1"),
            ("set-cookie", "c=d"),
            ("access-control-allow-origin", "*"),
            ("location", "/v1/elsewhere"),
            ("etag", '"1"'),
        ],
    )

    reply = server.client.call("PATCH", path + f"&key={GATE_KEY}", b"\x00\xff", headers)

    request = provider.last
    assert (request.method, request.body) == ("PATCH", b"\x00\xff")
    assert request.target == "/v1/a%2Fb/%7Bc%7D;d?x=%20&y=a+b&y=&z"
    assert GATE_KEY not in str(request)
    assert request.header("authorization") == f"Bearer {SERVER_KEY}"
    assert request.header("x-custom") == "kept"
    assert request.header("openai-beta") == "assistants=v2"
    for name in ("cookie", "x-hop", "x-headway-metrics", "x-api-key", "api-key"):
        assert request.header(name) is None, name
    assert (request.header("cdn-loop") or "").startswith("headway-")
    assert (reply.status, reply.body) == (206, b"x" * 10)
    assert reply.headers["content-length"] == "10"
    assert reply.headers["etag"] == '"1"'
    assert reply.headers["x-request-id"] == "req_1"
    assert reply.headers["x-headway-request-id"]
    assert reply.headers["location"] == "/providers/openai/v1/elsewhere"
    assert "set-cookie" not in reply.headers
    assert "access-control-allow-origin" not in reply.headers


def test_no_path_leads_away_from_the_providers_base(server: Gateway, provider: Provider) -> None:
    paths = (
        "/..",
        "/v1/../admin",
        "/v1/%2e%2e/admin",
        "/v1/.%2E/admin",
        "/v1/..%2fadmin",
        "/v1/..%5cadmin",
        "/v1/%252e%252e/admin",
        "/v1/..;a=b/admin",
        "/v1/./models",
        "//evil.example/v1",
        "/%2fevil.example",
        "/v1/..\\admin",
    )
    for path in paths:
        reply = server.client.call("GET", "/providers/openai" + path, None, AUTHORIZED)
        assert reply.status == 400, path
        assert "path" in reply.json["error"]["message"], path
    assert provider.server.requests == []
    # The host of a target in absolute form is the gateway's (RFC 9112, section 3.2.2).
    target = "http://evil.example/providers/openai/v1/models"
    assert server.client.call("GET", target, None, AUTHORIZED).status == 200
    assert provider.last.target == "/v1/models"


def test_admission_is_that_of_all_routes(server: Gateway, provider: Provider) -> None:
    call = server.client.call
    refused = call("GET", "/providers/openai/v1/models")
    assert (refused.status, refused.json["error"]["code"]) == (401, "missing_api_key")
    unknown = call("GET", "/providers/opnai/v1/models", None, AUTHORIZED)
    assert unknown.status == 404
    assert "did you mean openai" in unknown.json["error"]["message"]
    traced = call("TRACE", "/providers/openai/v1/models", None, AUTHORIZED)
    assert traced.status == 405
    large = call("POST", "/providers/openai/v1/files", b"x" * (1 << 21), AUTHORIZED)
    assert large.status == 413
    assert "server.body_limit" in large.json["error"]["message"]
    assert provider.server.requests == []

    call("GET", "/providers/openai/v1/models", None, AUTHORIZED)
    loop = {**AUTHORIZED, "cdn-loop": provider.last.header("cdn-loop") or ""}
    assert call("GET", "/providers/openai/v1/models", None, loop).status == 508

    before = len(server.records())
    own = {**AUTHORIZED, "x-headway-provider-key": "sk-of-the-caller"}
    call("GET", "/providers/openai/v1/models?key=x", None, own)
    assert provider.last.header("authorization") == "Bearer sk-of-the-caller"
    record = last_record(server, before)
    assert record["native_path"] == "GET /v1/models"
    assert record["route"] == "/providers/{name}/{path}"
    assert record["cost_usd"] is None
    assert "does not read" in record["cost_unknown_reason"]


def test_credentials_are_those_of_each_kind(server: Gateway, provider: Provider) -> None:
    call = server.client.call
    call("POST", "/providers/azure/openai/v1/files?api-version=preview", b"x", AUTHORIZED)
    assert provider.last.target == "/openai/v1/files?api-version=preview"
    assert provider.last.header("api-key") == SERVER_KEY

    response = {
        "output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7},
    }
    provider.reply = answer(json.dumps(response).encode())
    before = len(server.records())
    path = "/model/amazon.nova-lite-v1%3A0/converse"
    call("POST", f"/providers/bedrock{path}", {"messages": []}, AUTHORIZED)
    assert provider.last.target == path
    signature = provider.last.header("authorization") or ""
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    record = last_record(server, before)
    assert record["model"] == "amazon.nova-lite-v1:0"
    assert (record["input_tokens"], record["output_tokens"]) == (3, 4)


def test_errors_lose_the_key_that_they_quote(server: Gateway, provider: Provider) -> None:
    body = json.dumps({"error": {"message": f"wrong key {SERVER_KEY}"}}).encode()
    provider.reply = answer(body, 401)
    before = len(server.records())

    reply = server.client.call("GET", "/providers/openai/v1/models", None, AUTHORIZED)

    assert reply.status == 401
    assert reply.json == {"error": {"message": "wrong key ***"}}
    record = last_record(server, before)
    assert (record["outcome"], record["status"]) == ("error", 401)
    assert record["error_message"] == "wrong key ***"


def test_answers_without_a_body_have_none(server: Gateway, provider: Provider) -> None:
    provider.reply = b"HTTP/1.1 204 No Content\r\nx-a: b\r\n\r\n"
    reply = server.client.call("DELETE", "/providers/openai/v1/files/f", None, AUTHORIZED)
    assert (reply.status, reply.body, reply.headers["x-a"]) == (204, b"", "b")

    provider.reply = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\netag: 1\r\n\r\n"
    with server.client.open("HEAD", "/providers/openai/v1/x", None, AUTHORIZED) as stream:
        stream.read_head()
        assert (stream.status, stream.headers["content-length"]) == (200, "5")
        provider.reply = answer(b"{}")
        again = server.client.open("GET", "/providers/openai/v1/x", None, AUTHORIZED, on=stream)
        assert again.read_head().reply().body == b"{}"

    provider.reply = b"HTTP/1.1 304 Not Modified\r\netag: 1\r\ncontent-length: 9\r\n\r\n"
    conditional = {**AUTHORIZED, "if-none-match": "1"}
    reply = server.client.call("GET", "/providers/openai/v1/x", None, conditional)
    assert (reply.status, reply.body) == (304, b"")


def test_a_compressed_answer_arrives_decoded(server: Gateway, provider: Provider) -> None:
    body = gzip.compress(b'{"a": 1}')
    provider.reply = answer(
        body, headers=[("content-type", "application/json"), ("content-encoding", "gzip")]
    )
    accepts = {**AUTHORIZED, "accept-encoding": "gzip"}
    reply = server.client.call("GET", "/providers/openai/v1/x", None, accepts)
    assert provider.last.header("accept-encoding") == "identity"
    assert reply.body == b'{"a": 1}'
    assert "content-encoding" not in reply.headers


def test_a_client_may_wait_for_the_word_to_send_its_body(
    server: Gateway, provider: Provider
) -> None:
    head = {**AUTHORIZED, "expect": "100-continue", "content-length": "3"}
    with server.client.open("POST", "/providers/openai/v1/files", None, head) as stream:
        assert stream.read_head().status == 100
        stream.send(b"abc")
        assert stream.read_head().status == 200
    assert provider.last.body == b"abc"
    assert provider.last.header("expect") is None


def test_a_response_that_breaks_off_does_not_look_complete(
    server: Gateway, provider: Provider
) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    broken = {
        "chunked": [head + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", 0.05, "close"],
        "counted": [head + b"content-length: 10\r\n\r\nhello", 0.05, "reset"],
        "silent": [head + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", "hang"],
    }
    for name, steps in broken.items():
        provider.reply = steps  # type: ignore[assignment]
        before = len(server.records())
        target = "hasty" if name == "silent" else "openai"
        with server.client.open("GET", f"/providers/{target}/v1/x", None, AUTHORIZED) as stream:
            assert stream.read_head().status == 200, name
            with pytest.raises(EOFError):
                stream.read()
        record = last_record(server, before)
        assert (record["outcome"], record["status"]) == ("error", 200), name
    assert "Traceback" not in "".join(server.output)


def test_a_stream_is_passed_on_piece_by_piece(server: Gateway, provider: Provider) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: x/odd\r\ntransfer-encoding: chunked\r\n\r\n"
    pieces = [b"3\r\none\r\n", 0.2, b"3\r\ntwo\r\n", 0.2, b"0\r\n\r\n"]
    provider.reply = [head, *pieces]  # type: ignore[assignment]
    with server.client.open("GET", "/providers/openai/v1/x", None, AUTHORIZED) as stream:
        first, second = stream.read_head().chunks()
    assert (first.data, second.data) == (b"one", b"two")
    assert second.at - first.at > 0.1


def test_a_client_that_leaves_ends_the_providers_request(
    server: Gateway, provider: Provider
) -> None:
    provider.reply = [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n",
        "hang",
    ]  # type: ignore[assignment]
    before, departures = len(server.records()), provider.server.departures
    with server.client.open("GET", "/providers/openai/v1/x", None, AUTHORIZED) as stream:
        assert next(stream.read_head().chunks()).data == b"one"
    assert last_record(server, before)["outcome"] == "cancelled"
    until(lambda: provider.server.departures > departures)


def test_a_websocket_is_refused_where_the_server_cannot_pass_it(
    server: Gateway, provider: Provider
) -> None:
    """A handshake that is none for the parser: it has a body."""
    odd = {**AUTHORIZED, "upgrade": "websocket", "content-length": "1"}
    with server.client.open("GET", "/providers/openai/v1/realtime", None, odd) as stream:
        stream.send(b"x")
        assert stream.read_head().status == 501
    assert provider.server.requests == []


def test_a_provider_without_an_address_is_said_to_have_none(server: Gateway) -> None:
    reply = server.client.get("/providers/echo/v1/models", AUTHORIZED)
    assert (reply.status, reply.json["error"]["param"]) == (400, "provider")
    assert "echo is part of the gateway" in reply.json["error"]["message"]
