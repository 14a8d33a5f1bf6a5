"""Conversations that the gateway keeps: OpenAI's own client over a running server with its shipper
and its database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.gateway_process import SERVER_KEY, Gateway
from support.lazy_import import lazy_import
from support.openai_client import openai_client
from support.scripted_server import Received, ThreadedServer, answer
from support.wire_scripts import SCRIPTS, Pieces

openai = lazy_import("openai")
KINDS = ("openai_responses", "openai", "anthropic")
SPOKEN = Pieces(thought=(), arguments=())
received: list[Received] = []


def respond(request: Received) -> bytes:
    received.append(request)
    script = SCRIPTS[request.target.split("/")[1]](SPOKEN)
    if json.loads(request.body).get("stream"):
        return answer(script.streamed(), headers=[("content-type", script.content_type)])
    return answer(json.dumps(script.whole).encode())


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with ThreadedServer([respond]) as server:
        providers = {
            kind: {"kind": kind, "base_url": f"{server.url}/{kind}", "api_key": SERVER_KEY}
            for kind in KINDS
        }
        config = {"providers": providers, "ledger": {"content": "full"}}
        running = Gateway.start(tmp_path_factory.mktemp("stored"), config)
        yield running
        running.terminate()
        assert running.wait() == 0
        assert "Traceback" not in "".join(running.output)


@pytest.fixture
def sdk(gateway: Gateway) -> Iterator[Any]:
    with openai_client(f"{gateway.base_url}/v1") as client:
        yield client


def last_sent() -> Any:
    return json.loads(received[-1].body)


def test_a_conversation_goes_from_provider_to_provider(sdk: Any) -> None:
    first = sdk.responses.create(model="anthropic/m", input="One", instructions="Be brief.")
    assert first.store is True
    second = sdk.responses.create(model="openai/m", input="Two", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    with sdk.responses.stream(
        model="anthropic/m", input="Three", previous_response_id=second.id
    ) as stream:
        third = stream.get_final_response()
    roles = [message["role"] for message in last_sent()["messages"]]
    assert roles == ["user", "assistant", "user", "assistant", "user"]
    assert "system" not in last_sent()
    items = list(sdk.responses.input_items.list(third.id, order="asc"))
    assert [item.role for item in items] == roles
    again = sdk.responses.retrieve(first.id)
    assert again.output_text == first.output_text
    assert again.instructions == "Be brief."
    sdk.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        sdk.responses.retrieve(first.id)
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.responses.create(model="openai/m", input="Two", previous_response_id=first.id)
    assert caught.value.code == "previous_response_not_found"


def test_references_to_items_are_resolved(sdk: Any) -> None:
    first = sdk.responses.create(model="anthropic/m", input="One")
    reference: Any = {"type": "item_reference", "id": first.output[0].id}
    asked: Any = [{"role": "user", "content": "One"}, reference, {"role": "user", "content": "Two"}]
    sdk.responses.create(model="anthropic/m", input=asked)
    assert [message["role"] for message in last_sent()["messages"]] == ["user", "assistant", "user"]


def test_tokens_of_a_continued_conversation_are_counted(sdk: Any) -> None:
    first = sdk.responses.create(model="anthropic/m", input="One")
    alone = sdk.responses.input_tokens.count(model="openai/m", input="Two")
    both = sdk.responses.input_tokens.count(
        model="openai/m", input="Two", previous_response_id=first.id
    )
    assert both.input_tokens > alone.input_tokens


def test_a_stored_completion_is_read_by_the_sdk(sdk: Any) -> None:
    messages: Any = [{"role": "user", "content": "One"}]
    made = sdk.chat.completions.create(model="anthropic/m", messages=messages, store=True)
    found = sdk.chat.completions.retrieve(made.id)
    assert found.choices[0].message.content == made.choices[0].message.content
    [message] = sdk.chat.completions.messages.list(made.id)
    assert message.content == "One"
    updated = sdk.chat.completions.update(made.id, metadata={"team": "a"})
    assert (updated.id, updated.metadata) == (made.id, {"team": "a"})
    sdk.chat.completions.create(model="openai/m", messages=messages, store=True)
    assert [each.id for each in sdk.chat.completions.list(metadata={"team": "a"})] == [made.id]
    every = list(sdk.chat.completions.list(limit=1, order="asc"))
    assert (len(every), every[0].id) == (2, made.id)
    named = sdk.chat.completions.list(model="anthropic/m")
    assert [each.id for each in named] == [made.id]
    assert sdk.chat.completions.delete(made.id).deleted is True


def test_a_session_is_remembered(gateway: Gateway) -> None:
    body = {"model": "m", "session_id": "s-1", "session": {"remember": True}}
    for text in ("One", "Two"):
        reply = gateway.client.call(
            "POST", "/api/engine/chat/openai", {**body, "chat_input": text}
        ).json
    assert [message["role"] for message in reply["context"]] == ["user", "assistant", "user"]
    assert reply["chat_input"] == "Two"
