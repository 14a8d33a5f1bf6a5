"""Every kind answers through a real server, from a scripted upstream of its wire format."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headway.providers import ALIASES, KINDS
from support.canned_responses import wire_of
from support.for_each import for_each
from support.gateway_process import Gateway
from support.scripted_server import Received, ThreadedServer, answer

SELF_CONTAINED = ("echo",)
KINDS_CALLED = [kind for kind in KINDS if kind not in SELF_CONTAINED]
TOKEN = {"access_token": "scripted-token", "expires_in": 3600, "token_type": "Bearer"}
CLOUD = {
    "AWS_ACCESS_KEY_ID": "AKIASCRIPTED",
    "AWS_SECRET_ACCESS_KEY": "scripted-secret",
    "AWS_REGION": "us-east-1",
}
USER = {
    "type": "authorized_user",
    "client_id": "id",
    "client_secret": "secret",
    "refresh_token": "refresh",
    "quota_project_id": "of-the-user",
}


def reply(request: Received) -> bytes:
    """A token, a project, or a response of the kind that is the first part of the path."""
    kind = request.target.split("/")[1]
    if kind == "token" or request.target.endswith("/token"):
        return answer(json.dumps(TOKEN).encode())
    if request.target.endswith("/project-id"):
        return answer(b"of-the-machine", headers=[("content-type", "text/plain")])
    wire = wire_of(KINDS[kind].wire)
    played = wire.streamed if asks_for_stream(request) else wire.whole
    return answer(played.body, headers=[("content-type", played.content_type)])


def asks_for_stream(request: Received) -> bool:
    body = json.loads(request.body)
    words = ("stream", "streamgeneratecontent", "streamrawpredict")
    method = request.target.partition("?")[0].replace(":", "/").rpartition("/")[2].lower()
    return bool(body.get("stream")) or any(word in method for word in words)


def configured(kind: str, url: str, directory: Path) -> dict[str, Any]:
    base = {"base_url": f"{url}/{kind}"}
    key = {"api_key": f"scripted-key-of-{kind}"}
    own: dict[str, dict[str, Any]] = {
        "bedrock": {"region": "eu-west-1", "access_key": "AKIAOWN", "secret_key": "own-secret"},
        "bedrock_mantle": {"region": "eu-west-1"},
        "vertex": {
            "credentials_file": str(directory / "user.json"),
            "token_uri": f"{url}/token",
        },
        "vertex_anthropic": {"metadata_url": url},
        "azure_openai_responses": {
            "tenant_id": "t",
            "client_id": "c",
            "client_secret": "s",
            "authority_host": url,
        },
    }
    return {**base, **own.get(kind, key)}


@pytest.fixture(scope="module")
def upstream() -> Iterator[ThreadedServer]:
    with ThreadedServer([lambda request: reply(request)]) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(
    upstream: ThreadedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("kinds")
    (directory / "user.json").write_text(json.dumps(USER))
    providers = {kind: configured(kind, upstream.url, directory) for kind in KINDS_CALLED}
    running = Gateway.start(directory, {"providers": providers}, env=CLOUD)
    yield running
    running.terminate()
    assert running.wait() == 0
    assert "Traceback" not in "".join(running.output)


def last(upstream: ThreadedServer, kind: str) -> Received:
    return next(one for one in reversed(upstream.requests) if one.target.startswith(f"/{kind}/"))


MODELS = {"bedrock": "amazon.nova-lite-v1:0", "vertex": "gemini-2.5-flash"}


@for_each("kind", KINDS_CALLED)
def test_an_engine_call_to_each_kind_gets_a_reply(
    kind: str, gateway: Gateway, upstream: ThreadedServer
) -> None:
    got = gateway.chat(kind, model=MODELS.get(kind, "some-model"))
    assert got.status == 200, got.body
    assert got.json["chat_output"] == "Hello there"
    assert got.json["provider"] == kind
    metrics = got.json["metrics"]
    assert (metrics["input_tokens"], metrics["output_tokens"]) == (11, 7)
    assert metrics["tokens_source"] == "reported"
    assert got.json["choices"][0]["finish_reason"] == "stop"
    assert asks_for_stream(last(upstream, kind))


@for_each("kind", KINDS_CALLED)
def test_a_streamed_engine_call_to_each_kind_gets_a_reply(kind: str, gateway: Gateway) -> None:
    with gateway.stream(kind, model=MODELS.get(kind, "some-model")) as stream:
        lines = [json.loads(line) for line in stream.read().splitlines()]
    assert "".join(line.get("chat_output_stream") or "" for line in lines) == "Hello there"
    assert lines[-1]["chat_output"] == "Hello there"
    assert lines[-1]["metrics"]["total_tokens"] == 18


@for_each("kind", KINDS_CALLED)
def test_an_openai_client_gets_a_reply_from_each_kind(
    kind: str, gateway: Gateway, upstream: ThreadedServer
) -> None:
    body = {
        "model": f"{kind}/{MODELS.get(kind, 'some-model')}",
        "messages": [{"role": "user", "content": "Hello! Who are you?"}],
    }
    got = gateway.client.call("POST", "/v1/chat/completions", body)
    assert got.status == 200, got.body
    assert got.json["choices"][0]["message"]["content"] == "Hello there"
    assert (got.json["usage"]["prompt_tokens"], got.json["usage"]["completion_tokens"]) == (11, 7)
    assert not asks_for_stream(last(upstream, kind))


LOOP_ID = re.compile(r"headway-[0-9a-f]{16}")
EARLIER = "headway-00000000000000ff"


@for_each("kind", KINDS_CALLED)
def test_each_kind_is_told_the_gateways_that_a_request_came_through(
    kind: str, gateway: Gateway, upstream: ThreadedServer
) -> None:
    model = MODELS.get(kind, "some-model")
    assert gateway.chat(kind, model=model).status == 200
    own = last(upstream, kind).header("cdn-loop") or ""
    assert LOOP_ID.fullmatch(own)
    passing = {"cdn-loop": f"cloudflare; loops=1, {EARLIER}"}
    assert gateway.chat(kind, headers=passing, model=model).status == 200
    received = last(upstream, kind)
    assert [value for name, value in received.headers if name == "cdn-loop"] == [
        f"{EARLIER}, {own}"
    ]
    assert "cdn-loop" not in (received.header("authorization") or "")  # not among AWS's signed ones
    refused = gateway.chat(kind, headers={"CDN-Loop": own}, model=model)
    assert (refused.status, refused.json["error"]["type"]) == (508, "loop_detected")


def credentials_sent_to(upstream: ThreadedServer, kind: str) -> str:
    """The values of the authentication headers that the upstream received."""
    headers = dict(last(upstream, kind).headers)
    names = ("authorization", "x-api-key", "x-goog-api-key", "api-key")
    return " ".join(headers.get(name, "") for name in names).strip()


CREDENTIALS_SENT = {
    "azure_openai_responses": "Bearer scripted-token",
    "bedrock": "AWS4-HMAC-SHA256 Credential=AKIAOWN/",
    "bedrock_mantle": "AWS4-HMAC-SHA256 Credential=AKIASCRIPTED/",
    "vertex": "Bearer scripted-token",
    "vertex_anthropic": "Bearer scripted-token",
}


@for_each("kind", KINDS_CALLED)
def test_a_kind_sends_its_key_token_or_signature(
    kind: str, gateway: Gateway, upstream: ThreadedServer
) -> None:
    assert gateway.chat(kind, model=MODELS.get(kind, "some-model")).status == 200
    assert CREDENTIALS_SENT.get(kind, f"scripted-key-of-{kind}") in credentials_sent_to(
        upstream, kind
    )


def test_the_project_is_taken_from_the_credentials_by_default(
    gateway: Gateway, upstream: ThreadedServer
) -> None:
    gateway.chat("vertex", model="gemini-2.5-flash")
    assert "/projects/of-the-user/" in last(upstream, "vertex").target
    gateway.chat("vertex_anthropic", model="claude-sonnet-4-5")
    assert "/projects/of-the-machine/" in last(upstream, "vertex_anthropic").target


def test_a_token_is_requested_once(gateway: Gateway, upstream: ThreadedServer) -> None:
    for _ in range(3):
        gateway.chat("vertex", model="gemini-2.5-flash")
    assert sum(one.target == "/token" for one in upstream.requests) == 1


@pytest.mark.parametrize("alias", [alias for alias, kind in ALIASES.items() if kind in KINDS])
def test_an_alias_works_like_its_kind(alias: str, gateway: Gateway) -> None:
    got = gateway.chat(alias, model=MODELS.get(ALIASES[alias], "some-model"))
    assert (got.status, got.json["chat_output"]) == (200, "Hello there")
    listed = gateway.client.get("/api/engine/providers").json
    assert alias not in listed
    assert set(KINDS_CALLED) <= set(listed)


# vendor, model, given parameters, sent parameters, the transformed parameter
TOOL = {"type": "function", "function": {"name": "f"}}
TRANSFORMED: list[tuple[str, str, dict[str, Any], dict[str, Any], str]] = [
    ("deepseek", "deepseek-v4-flash", {"tool_choice": "required", "tools": [TOOL]},
     {"tools": [TOOL]}, "tool_choice"),
    ("zai", "glm-5", {"tool_choice": "none", "tools": [TOOL]}, {}, "tool_choice"),
    ("dashscope", "qwen-plus", {"reasoning_effort": "none"}, {"enable_thinking": False},
     "reasoning_effort"),
    ("groq", "openai/gpt-oss-20b", {"reasoning_effort": "xhigh"}, {"reasoning_effort": "high"},
     "reasoning_effort"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "model", "asked", "sent", "parameter"), TRANSFORMED)
def test_an_unsupported_value_is_listed_as_a_transformation_or_refused_if_strict(
    kind: str,
    model: str,
    asked: dict[str, Any],
    sent: dict[str, Any],
    parameter: str,
    gateway: Gateway,
    upstream: ThreadedServer,
) -> None:
    got = gateway.chat(kind, model=model, **asked)
    assert got.status == 200, got.body
    assert [change["parameter"] for change in got.json["transformations"]] == [parameter]
    body = json.loads(last(upstream, kind).body)
    assert {name: body[name] for name in sent} == sent
    assert not (asked.keys() - sent.keys()) & body.keys()
    refused = gateway.chat(kind, model=model, strict=True, **asked)
    assert (refused.status, refused.json["error"]["param"]) == (400, parameter)
