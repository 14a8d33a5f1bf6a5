"""Kinds of servers of one's own are there when they are configured; a call says how to do that."""

from __future__ import annotations

import pytest

from contract.conftest import Launch
from contract.shapes import error_of
from headway.providers import KINDS
from support.gateway_process import Gateway
from support.openai_upstream import Upstream
from support.raw_client import Reply

OWN = [kind for kind, one in KINDS.items() if "127.0.0.1" in (one.base_url or "")]


def check(reply: Reply, kind: str) -> None:
    error = error_of(reply, 404)
    assert (error["type"], error["param"]) == ("not_found_error", "provider")
    assert f"providers.{kind}.base_url" in error["message"]


@pytest.mark.parametrize("kind", OWN)
def test_a_call_of_one_that_is_not_configured_is_404_with_the_remedy(
    gateway: Gateway, kind: str
) -> None:
    for stream in (False, True):
        check(gateway.chat(kind, model="m", is_stream=stream), kind)
    asked = {"model": f"{kind}/m", "messages": [{"role": "user", "content": "Hi"}]}
    check(gateway.client.call("POST", "/v1/chat/completions", asked), kind)
    asked = {"model": f"{kind}/m", "input": "Hi"}
    check(gateway.client.call("POST", "/v1/embeddings", asked), kind)
    for path in ("/api/engine/models", "/api/engine/parameters", "/v1/models"):
        check(gateway.client.get(f"{path}?provider={kind}"), kind)


def test_no_list_has_one_that_is_not_configured(server: Gateway) -> None:
    assert not set(OWN) & set(server.client.get("/api/engine/providers").json)
    assert not set(OWN) & set(server.client.get("/api/engine/models").json)


@pytest.mark.parametrize("kind", [kind for kind in OWN if kind != "ollama"])
def test_a_call_with_an_address_of_its_own_needs_no_configuration(
    server: Gateway, upstream: Upstream, kind: str
) -> None:
    reply = server.chat(kind, model="m", base_url=upstream.base_url)
    assert (reply.status, reply.json["chat_output"]) == (200, "Hello there!")


def test_one_whose_variable_is_set_can_be_called(launch: Launch, upstream: Upstream) -> None:
    running = launch(env={"OLLAMA_HOST": upstream.base_url})
    assert "ollama" in running.client.get("/api/engine/providers").json
    reply = running.chat("ollama", model="m")
    assert (reply.status, reply.json["chat_output"]) == (200, "Hello there!")
