"""The log of a running server: the access log, failures, and the client's own ids. In both server
modes, in text and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.conftest import Launch, standard_config
from contract.shapes import error_of
from headway.providers import KINDS
from providers.test_kinds_over_http import CLOUD, KINDS_CALLED, MODELS, USER, configured
from support.for_each import for_each
from support.gateway_process import BODY_KEY, GATE_KEY, Gateway
from support.openai_completions import role, text
from support.openai_upstream import CUT, HANG, Answer, Upstream
from support.scripted_server import ThreadedServer, answer
from support.waiting import until

CHAT = "/api/engine/chat/openai"
OPENAI = {"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
LOGGING = {"server": {"log": {"access": True}, "cors_origins": ["https://page.example"]}}
ACCESS = re.compile(
    r"\S+Z INFO access method=(\S+) path=(\S+) status=(\d+) duration_s=([\d.]+)"
    r" request_id=(\S+) bytes=(\d+)\n"
)
PROMPT = "a prompt that nobody else may read"


def access_lines(gateway: Gateway) -> list[tuple[str, ...]]:
    return [found.groups() for line in gateway.new_output() if (found := ACCESS.fullmatch(line))]


def wait_for(read: Callable[[], list[Any]], count: int) -> list[Any]:
    until(lambda: len(read()) >= count)
    return read()


def json_lines(gateway: Gateway) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gateway.new_output()]


def failures(gateway: Gateway) -> list[dict[str, Any]]:
    lines = json_lines(gateway)
    return [line for line in lines if "failed" in line["msg"]]


@pytest.fixture
def logging(lasting: Launch, mode: str, upstream: Upstream) -> Gateway:
    return settled(lasting(LOGGING, mode=mode))


def settled(gateway: Gateway) -> Gateway:
    """A line comes after the reply: once that of a further request is there, those of the last test
    are, too."""
    gateway.mark()
    assert gateway.client.get("/health").status == 200
    until(lambda: any("/health" in line for line in gateway.new_output()))
    gateway.mark()
    return gateway


# --- The access log -------------------------------------------------------------------------------

PREFLIGHT = {"origin": "https://page.example", "access-control-request-method": "POST"}
ROUTES: list[tuple[str, str, Any, dict[str, str], int]] = [
    ("GET", "/", None, {}, 200),
    ("HEAD", "/health", None, {}, 200),
    ("GET", "/health", None, {}, 200),
    ("GET", "/docs", None, {}, 200),
    ("GET", "/docs/assets/page.css", None, {}, 200),
    ("GET", "/docs/assets/none.css", None, {}, 404),
    ("GET", "/openapi.json", None, {}, 200),
    ("GET", "/v1/models", None, {}, 200),
    ("GET", "/api/engine/providers", None, {}, 200),
    ("GET", "/api/engine/parameters", None, {}, 422),
    ("GET", "/nowhere", None, {}, 404),
    ("GET", CHAT, None, {}, 405),
    ("OPTIONS", CHAT, None, PREFLIGHT, 204),
    ("POST", CHAT, {"model": "gpt-4o", "chat_input": "Hi"}, {}, 200),
    ("POST", CHAT, {"model": "gpt-4o", "chat_input": "Hi", "is_stream": True}, {}, 200),
    ("POST", "/api/engine/chat/echo", {"model": "echo", "chat_input": "Hi"}, {}, 200),
    ("POST", "/api/engine/chat/nobody", {"model": "m", "chat_input": "Hi"}, {}, 404),
    ("POST", "/v1/chat/completions", OPENAI, {}, 200),
    ("POST", "/v1/chat/completions", {**OPENAI, "stream": True}, {}, 200),
    ("POST", "/v1/chat/completions", b"no JSON", {}, 400),
    ("POST", "/v1/embeddings", {"model": "echo/echo", "input": "a"}, {}, 200),
]


def test_each_request_on_every_route_is_one_line(logging: Gateway) -> None:
    for at, (method, path, body, headers, status) in enumerate(ROUTES):
        named = {**headers, "x-request-id": f"id-{at}"}
        with logging.client.open(method, path, body, named) as stream:
            stream.read_head()
            assert stream.status == status, (method, path)
            assert stream.headers["x-request-id"] == f"id-{at}", (method, path)
            size = 0 if method == "HEAD" else len(stream.read())
        line = wait_for(lambda: access_lines(logging), at + 1)[at]
        assert line[:3] == (method, path, str(status))
        assert line[4:] == (f"id-{at}", str(size))
        assert 0 <= float(line[3]) < 20
    assert len(access_lines(logging)) == len(ROUTES)


def test_a_query_is_not_logged(logging: Gateway) -> None:
    logging.client.get("/v1/models?provider=echo&key=sk-query")
    logging.client.call("POST", "/v1/chat/completions?key=sk-query", OPENAI)
    lines = wait_for(lambda: access_lines(logging), 2)
    assert [line[1] for line in lines] == ["/v1/models", "/v1/chat/completions"]
    assert "sk-query" not in "".join(logging.output)


def test_a_connection_that_sends_the_same_head_again_is_logged_each_time(
    logging: Gateway,
) -> None:
    asked = {"model": "echo", "chat_input": "Hi"}
    other = {"model": "gpt-4o", "chat_input": "Hello"}
    with logging.client.connect() as stream:
        for at in range(6):
            name, body = ("echo", asked) if at % 2 else ("openai", other)
            again = logging.client.open("POST", f"/api/engine/chat/{name}", body, {}, stream)
            assert again.read_head().reply().status == 200
    lines = wait_for(lambda: access_lines(logging), 6)
    assert [line[1].rpartition("/")[2] for line in lines] == ["openai", "echo"] * 3
    assert len({line[4] for line in lines}) == 6


def test_pipelined_requests_are_logged_in_their_order(logging: Gateway) -> None:
    one = logging.client.encode("POST", CHAT, {"model": "gpt-4o", "chat_input": "Hi"}, None)
    two = logging.client.encode("GET", "/health", None, None)
    with logging.client.connect() as stream:
        stream.send(one + two + one)
        for _ in range(3):
            assert stream.read_head().reply().status == 200
    lines = wait_for(lambda: access_lines(logging), 3)
    assert [line[1] for line in lines] == [CHAT, "/health", CHAT]


BROKEN: list[tuple[bytes, tuple[str, str, str]]] = [
    (b"nonsense\r\n\r\n", ("-", "-", "400")),
    (b"GET /health HTTP/1.1\r\n\r\n", ("GET", "/health", "400")),
    (
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 9999999999\r\n\r\n",
        ("POST", "/v1/chat/completions", "413"),
    ),
    (
        b"POST /api/engine/chat/a HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n",
        ("POST", "/api/engine/chat/a", "501"),
    ),
    (
        b"POST /api/engine/chat/a HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        ("POST", "/api/engine/chat/a", "400"),
    ),
    (b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\n\r\n", ("GET", "/" + "x", "414")),
]


def test_errors_of_the_parser_are_logged(logging: Gateway) -> None:
    for at, (data, expected) in enumerate(BROKEN):
        with logging.client.connect() as stream:
            stream.send(data)
            reply = stream.read_head().reply()
        line = wait_for(lambda: access_lines(logging), at + 1)[at]
        assert line[0] == expected[0]
        assert line[1].startswith(expected[1])
        assert len(line[1]) < 1000
        assert line[2] == expected[2] == str(reply.status)
        assert line[4] == reply.json["error"]["request_id"]
    assert len(access_lines(logging)) == len(BROKEN)


def test_a_broken_request_keeps_its_id(logging: Gateway) -> None:
    with logging.client.connect() as stream:
        stream.send(b"GET /health HTTP/1.1\r\nx-request-id: my-id\r\n\r\n")
        reply = stream.read_head().reply()
    assert (reply.status, reply.headers["x-request-id"]) == (400, "my-id")
    assert reply.json["error"]["request_id"] == "my-id"


def test_a_client_that_leaves_is_logged(logging: Gateway, upstream: Upstream) -> None:
    upstream.play(Answer((role(), text("a"), HANG)), Answer((), before_head=(HANG,)))
    asked = {"model": "gpt-4o", "chat_input": "a"}
    with logging.client.open("POST", CHAT, {**asked, "is_stream": True}) as stream:
        stream.read_head()
    with logging.client.open("POST", CHAT, asked):
        until(lambda: len(upstream.exchanges) == 2)
    lines = wait_for(lambda: access_lines(logging), 2)
    assert [line[2] for line in lines] == ["200", "499"]


def test_forged_lines_are_impossible(logging: Gateway) -> None:
    forged = "x%0A2025-11-29T08:42:00.123Z%20INFO%20access%20method=GET%1B[2J"
    assert logging.client.get(f"/{forged}").status == 404
    named = {"x-request-id": "a b status=200"}
    assert (
        logging.client.call("POST", f"/api/engine/chat/{forged}", {"model": 1}, named).status == 422
    )
    asked = {**OPENAI, "model": "nobody\n2025 INFO forged/m\x1b[2J"}
    assert logging.client.call("POST", "/v1/chat/completions", asked).status == 404
    wait_for(lambda: access_lines(logging), 3)
    said = "".join(logging.output)
    assert "\x1b" not in said
    assert not re.search(r"^(?!\S+Z [A-Z]+ |Headway|configuration)", said.rstrip(), re.MULTILINE)


# --- Where it goes --------------------------------------------------------------------------------


def test_without_access_no_request_is_logged(launch: Launch, mode: str) -> None:
    own = launch(mode=mode)
    lines = len(own.output)
    for _ in range(3):
        assert own.chat().status == 200
        assert own.client.get("/health").status == 200
    assert own.output[lines:] == []


def test_json_is_one_object_a_line_from_the_first_to_the_last(launch: Launch, mode: str) -> None:
    config = {
        "server": {"log": {"format": "json", "access": True}},
        "providers": {"vllm": {"base_url": "http://127.0.0.1:8000/v1"}},
    }
    own = launch(config, mode=mode, args=("--port", "0"), env={"OPENAI_BASE_URL": "http://box:1"})
    assert own.chat("echo", model="echo").status == 200
    error_of(own.chat("nobody"), 404)
    own.reload({**config, "server": {**config["server"], "port": 1}})
    until(lambda: "reloaded" in "".join(own.output))
    own.reload({"server": {"port": "no"}})
    until(lambda: "must be a port" in "".join(own.output))
    own.stop()
    lines = json_lines(own)
    for line in lines:
        assert list(line)[:3] == ["ts", "level", "msg"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["ts"])
        assert line["level"] in ("info", "warning", "error")
    messages = [line["msg"] for line in lines]
    assert messages[0].startswith("Headway listening on http://")
    assert "openai is at http://box:1, as OPENAI_BASE_URL says" in messages
    accessed = [line for line in lines if line["msg"] == "access"]
    assert [(one["status"], one["path"]) for one in accessed] == [
        (200, "/api/engine/chat/echo"),
        (404, "/api/engine/chat/nobody"),
    ]
    assert all(isinstance(one["duration_s"], float) and one["bytes"] > 0 for one in accessed)


@pytest.mark.parametrize("count", ["1", "3"])
def test_a_reload_changes_the_log(launch: Launch, upstream: Upstream, count: str) -> None:
    own = launch(args=("--port", "0", "--workers", count))
    config = standard_config(upstream)
    own.reload({**config, "server": {"log": {"access": True, "level": "error"}}})

    def logged() -> bool:
        assert own.chat().status == 200
        return bool(access_lines(own))

    until(logged)
    own.reload({**config, "server": {"log": {"format": "json"}}})
    until(lambda: any(line.startswith("{") for line in own.output) or not own.chat("nobody"))
    assert json.loads(own.output[-1])["level"] == "info"


@pytest.mark.parametrize(
    ("args", "env"),
    [
        (("--log-format", "json", "--log-level", "warning", "--log-access"), {}),
        (
            (),
            {
                "HEADWAY_LOG_FORMAT": "json",
                "HEADWAY_LOG_LEVEL": "WARNING",
                "HEADWAY_LOG_ACCESS": "true",
            },
        ),
    ],
)
def test_flags_and_variables_set_it_too(
    launch: Launch, args: tuple[str, ...], env: dict[str, str]
) -> None:
    own = launch({"server": {"log": {"level": "error"}}}, args=("--port", "0", *args), env=env)
    error_of(own.chat("nobody"), 404)
    error_of(own.chat("unreachable"), 502)
    lines = wait_for(lambda: json_lines(own)[2:], 3)
    assert [(line["level"], line["msg"]) for line in lines] == [
        ("info", "access"),
        ("warning", "request failed"),
        ("info", "access"),
    ]
    own.reload({"server": {"log": {"format": "text"}}, "providers": {"echo": None}})
    own.chat("echo", model="echo")
    until(lambda: len(own.output) >= 6)
    assert all(line.startswith("{") for line in own.output)


@pytest.mark.parametrize(
    ("log", "message"),
    [
        ("{level: loud}", "server.log.level: must be debug, info, warning or error"),
        ("{format: xml}", "server.log.format: must be text or json"),
        ("{access: maybe}", "server.log.access: must be true or false"),
        ("{leevl: info}", "server.log.leevl: unknown key; did you mean level?"),
        ("info", "server.log: must be a mapping with keys such as level, format, access"),
    ],
)
def test_a_wrong_setting_is_refused(log: str, message: str, tmp_path: Path) -> None:
    own = Gateway.spawn(tmp_path, {"server": {"log": yaml.safe_load(log)}})
    assert own.wait() == 2
    assert message in "".join(own.output)


# --- Failures -------------------------------------------------------------------------------------


@pytest.fixture
def json_log(lasting: Launch, mode: str, upstream: Upstream) -> Gateway:
    log = {"format": "json", "access": True}
    return settled(lasting({"server": {"log": log, "api_keys": [GATE_KEY]}}, mode=mode))


def test_every_failure_is_a_line_with_the_id_of_its_record(
    json_log: Gateway, upstream: Upstream
) -> None:
    allowed = {"x-api-key": GATE_KEY}
    upstream.play(
        Answer((b'{"error":{"message":"No."}}',), status=400),
        Answer((role(), text("Hi"), CUT)),
    )
    asked: list[tuple[str, dict[str, Any], dict[str, str]]] = [
        ("openai", {}, allowed),
        ("openai", {"is_stream": True}, allowed),
        ("unreachable", {}, allowed),
        ("nobody", {}, allowed),
        ("needy", {}, allowed),
        ("openai", {"parameters": {"temperature": 3}}, allowed),
        ("openai", {}, {}),
    ]
    for provider, fields, headers in asked:
        json_log.chat(provider, headers, chat_input=PROMPT, **fields)
    lines = wait_for(lambda: failures(json_log), len(asked))
    shown = [(one["level"], one["status"], one["error_type"], one.get("provider")) for one in lines]
    assert shown == [
        ("warning", 400, "invalid_request_error", "openai"),
        ("warning", 502, "connection_error", "openai"),
        ("warning", 502, "connection_error", "unreachable"),
        ("info", 404, "not_found_error", "nobody"),
        ("info", 401, "authentication_error", "needy"),
        ("info", 422, "invalid_request_error", "openai"),
        ("info", 401, "authentication_error", None),
    ]
    recorded = [record["request_id"] for record in json_log.new_records()]
    assert [one["request_id"] for one in lines[:6]] == recorded
    assert all(one["model"] == "gpt-4o" for one in lines[:6])
    assert all(0 <= one["duration_s"] < 20 for one in lines[:6])
    assert "cannot reach 127.0.0.1:1" in lines[2]["reason"]
    assert "OPENAI_API_KEY" in lines[4]["reason"]
    assert PROMPT not in "".join(json_log.output)


def test_failures_beside_the_pipeline_are_lines_too(json_log: Gateway) -> None:
    allowed = {"x-api-key": GATE_KEY}
    json_log.client.get("/v1/models")
    json_log.client.get("/api/engine/models?provider=nobody", {**allowed, "x-request-id": "mine"})
    json_log.client.get("/nowhere", allowed)
    json_log.client.call("PUT", CHAT, None, allowed)
    lines = wait_for(lambda: failures(json_log), 4)
    assert [(one["method"], one["path"], one["status"]) for one in lines] == [
        ("GET", "/v1/models", 401),
        ("GET", "/api/engine/models", 404),
        ("GET", "/nowhere", 404),
        ("PUT", CHAT, 405),
    ]
    assert lines[1]["request_id"] == "mine"


def test_a_list_that_cannot_be_fetched_is_a_line(launch: Launch) -> None:
    own = launch({"server": {"log": {"format": "json"}}})
    own.client.get("/api/engine/models?provider=unreachable&live=1")
    [line] = wait_for(lambda: failures(own), 1)
    assert (line["msg"], line["provider"]) == ("listing models failed", "unreachable")


# --- What is never logged -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def quoting() -> Iterator[ThreadedServer]:
    """A provider of every kind that refuses each request, and quotes all that it was sent."""

    def refuse(request: Any) -> bytes:
        if request.target.split("/")[1] == "token" or request.target.endswith("/token"):
            return answer(b'{"access_token":"scripted-token","expires_in":3600}')
        said = request.body.decode("latin-1") + json.dumps(request.headers)
        body = {
            "message": said,
            "detail": said,
            "error": {"message": said, "type": said, "code": said, "param": said},
        }
        kinds = [("content-type", "application/json"), ("x-amzn-errortype", "ValidationException")]
        return answer(json.dumps(body).encode(), 400, kinds)

    with ThreadedServer([refuse]) as server:
        yield server


@pytest.fixture(scope="module")
def discreet(quoting: ThreadedServer, tmp_path_factory: Any) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("discreet")
    (directory / "user.json").write_text(json.dumps(USER))
    providers = {kind: configured(kind, quoting.url, directory) for kind in KINDS_CALLED}
    config = {"server": {"log": {"level": "debug", "access": True}}, "providers": providers}
    running = Gateway.start(directory, config, env=CLOUD)
    yield running
    running.stop()


@for_each("kind", KINDS_CALLED)
def test_no_kind_logs_keys_or_prompts(
    kind: str, discreet: Gateway, quoting: ThreadedServer
) -> None:
    model = MODELS.get(kind, "some-model")
    seen = len(access_lines(discreet))
    for fields in ({}, {"is_stream": True}, {"api_key": BODY_KEY}):
        reply = discreet.chat(kind, model=model, chat_input=PROMPT, **fields)
        assert reply.status >= 400
    asked = {"model": f"{kind}/{model}", "messages": [{"role": "user", "content": PROMPT}]}
    assert discreet.client.call("POST", "/v1/chat/completions", asked).status >= 400
    if KINDS[kind].encode_embeddings is not None:
        asked = {"model": f"{kind}/{model}", "input": PROMPT}
        assert discreet.client.call("POST", "/v1/embeddings", asked).status >= 400
    wait_for(lambda: access_lines(discreet), seen + 4)
    said = "".join(discreet.output)
    assert f"provider={kind} " in said
    for secret in (PROMPT, BODY_KEY, "scripted-key", "scripted-token", "own-secret"):
        assert secret not in said
