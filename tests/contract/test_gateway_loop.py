"""A request that comes back to the gateway that sent it is refused, whatever the provider's kind;
a chain of different gateways is allowed."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.conftest import Launch
from contract.shapes import error_of
from headway.providers import KINDS
from support.for_each import for_each
from support.gateway_process import SERVER_MODES, Gateway
from support.openai_upstream import Upstream
from support.ports import free_port
from support.raw_client import Reply

KINDS_CALLED = [kind for kind in KINDS if kind != "echo"]
MODELS = {"bedrock": "amazon.nova-lite-v1:0", "vertex": "gemini-2.5-flash"}
OPTIONS: dict[str, dict[str, Any]] = {
    "bedrock": {"region": "eu-west-1", "access_key": "AKIAOWN", "secret_key": "own-secret"},
    "vertex_anthropic": {"project": "p", "api_key": "k"},
}
ID = re.compile(r"headway-[0-9a-f]{16}")


def providers_at(base_url: str) -> dict[str, Any]:
    return {
        kind: {"base_url": base_url, "api_key": "k", **OPTIONS.get(kind, {})}
        for kind in KINDS_CALLED
    }


@pytest.fixture(scope="module", params=["workers", *SERVER_MODES])
def looping(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Gateway]:
    """A gateway that is the provider of all its providers."""
    port = free_port()
    config = {"providers": providers_at(f"http://127.0.0.1:{port}/v1")}
    workers = "3" if request.param == "workers" else "1"
    args = ("--port", str(port), "--workers", workers)
    mode = "direct" if request.param == "workers" else request.param
    running = Gateway.start(tmp_path_factory.mktemp("loop"), config, mode=mode, args=args)
    yield running
    running.stop()


def check(reply: Reply, kind: str) -> None:
    error = error_of(reply, 508)
    assert (error["type"], error["provider"]) == ("loop_detected", kind)
    assert "came back" in error["message"]
    assert "base_url" in error["message"]


@for_each("kind", KINDS_CALLED)
def test_a_call_that_comes_back_is_refused(looping: Gateway, kind: str) -> None:
    model = MODELS.get(kind, "some-model")
    before = len(looping.records())
    check(looping.chat(kind, model=model, retries=3), kind)
    check(looping.chat(kind, model=model, is_stream=True), kind)
    body = {"model": f"{kind}/{model}", "messages": [{"role": "user", "content": "Hi"}]}
    check(looping.client.call("POST", "/v1/chat/completions", body), kind)
    deadline = time.monotonic() + 5
    while len(records := looping.records()[before:]) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [(one["provider"], one["error_type"]) for one in records] == [
        (kind, "loop_detected")
    ] * 3


@for_each("kind", [kind for kind in KINDS_CALLED if KINDS[kind].encode_embeddings is not None])
def test_an_embeddings_call_that_comes_back_is_refused(looping: Gateway, kind: str) -> None:
    model = "amazon.titan-embed-text-v2:0" if kind == "bedrock" else "some-model"
    body = {"model": f"{kind}/{model}", "input": ["Hi"]}
    check(looping.client.call("POST", "/v1/embeddings", body), kind)


@for_each("kind", [kind for kind in KINDS_CALLED if KINDS[kind].list_models is not None])
def test_a_list_of_models_that_comes_back_is_refused(looping: Gateway, kind: str) -> None:
    listed = looping.client.get(f"/api/engine/models?provider={kind}&live=1").json
    assert listed["error"]["type"] == "loop_detected"
    assert listed["models"] == []


def test_no_call_was_made_more_than_once_and_the_gateway_is_well(looping: Gateway) -> None:
    assert looping.client.get("/health").status == 200
    assert "Traceback" not in "".join(looping.output)


def test_a_chain_of_two_gateways_is_allowed(launch: Launch, upstream: Upstream) -> None:
    second = launch()
    near = {"openai": {"base_url": f"{second.base_url}/v1", "api_key": "k"}}
    first = launch({"providers": near})
    reply = first.chat("openai", model="openai/gpt-4o")
    assert (reply.status, reply.json["chat_output"]) == (200, "Hello there!")
    ids = upstream.exchanges[-1].headers["cdn-loop"].split(", ")
    assert len(set(ids)) == 2
    assert all(ID.fullmatch(each) for each in ids)


def test_a_loop_over_two_gateways_ends(tmp_path: Path) -> None:
    ports = free_port(), free_port()
    gateways = [
        Gateway.start(
            tmp_path / str(at),
            {"providers": {"vllm": {"base_url": f"http://127.0.0.1:{ports[1 - at]}/v1"}}},
            args=("--port", str(ports[at])),
        )
        for at in (0, 1)
    ]
    try:
        error = error_of(gateways[0].chat("vllm", model="vllm/vllm/vllm/vllm/vllm/m"), 508)
        assert error["type"] == "loop_detected"
    finally:
        for gateway in gateways:
            gateway.stop()
