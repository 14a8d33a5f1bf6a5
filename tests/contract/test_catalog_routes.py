"""What a page shows of models and providers, asked of a running server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract.conftest import Launch
from headway.server.openapi.schemas import catalog
from support.gateway_process import Gateway
from support.openai_upstream import Answer, Upstream
from support.waiting import until

KEY = {"x-api-key": "hw-mine"}


@pytest.fixture
def configured(lasting: Launch, upstream: Upstream) -> Gateway:
    url = upstream.base_url
    return lasting(
        {
            "server": {"api_keys": ["hw-mine"]},
            "providers": {
                "one": {"kind": "openai", "base_url": url, "api_keys": ["sk-one-1", "sk-one-2"],
                        "models": ["gpt-4o", "gpt-4o-mini"]},
                "needy": {"kind": "openai", "models": ["gpt-4o"]},
                "echo": {"kind": "echo"},
            },
            "models": {"best": "one/gpt-4o", "smart": ["one/gpt-4o-mini", "needy/gpt-4o"]},
        }
    )  # fmt: skip


def test_the_models_are_one_list_of_the_described_shape(configured: Gateway) -> None:
    reply = configured.client.get("/api/models?usable=1", KEY)
    assert reply.status == 200, reply.body
    read = catalog.ModelList.model_validate_json(json.dumps(reply.json), strict=True)
    assert json.loads(read.model_dump_json(exclude_unset=True)) == reply.json
    rows = {row["id"]: row for row in reply.json["data"]}
    assert list(rows)[:2] == ["best", "smart"]
    assert "needy/gpt-4o" not in rows
    assert rows["best"] == {
        **rows["one/gpt-4o"], "id": "best", "is_alias": True, "targets": ["one/gpt-4o"],
    }  # fmt: skip
    assert rows["smart"]["targets"] == ["one/gpt-4o-mini", "needy/gpt-4o"]
    assert not configured.client.get("/api/models?provider=needy", KEY).json["data"][0]["usable"]


def test_a_list_that_a_client_has_is_not_sent_again(configured: Gateway) -> None:
    first = configured.client.get("/api/models", KEY)
    etag = first.headers["etag"]
    again = configured.client.get("/api/models", {**KEY, "if-none-match": etag})
    assert (again.status, again.body) == (304, b"")
    assert configured.client.get("/api/models", KEY).status == 200


def test_the_list_needs_a_key(configured: Gateway) -> None:
    assert configured.client.get("/api/models").status == 401


def test_the_providers_have_the_described_shape_and_no_key(configured: Gateway) -> None:
    body = {"model": "one/gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
    assert configured.client.call("POST", "/v1/chat/completions", body, KEY).status == 200
    recent: dict[str, Any] = {}
    until(lambda: recent.update(providers(configured)["one"]["recent"]) or recent["attempts"] > 0)
    assert (recent["errors"], recent["error_rate"]) == (0, 0.0)
    reply = configured.client.get("/api/providers", KEY)
    read = catalog.ProviderList.model_validate_json(json.dumps(reply.json), strict=True)
    assert json.loads(read.model_dump_json(exclude_unset=True)) == reply.json
    found = providers(configured)
    assert [key["name"] for key in found["one"]["keys"]] == ["1", "2"]
    assert (found["one"]["is_local"], found["one"]["models"]) == (True, 2)
    assert not found["needy"]["usable"]
    assert b"sk-one" not in reply.body


def providers(gateway: Gateway) -> dict[str, Any]:
    return {row["name"]: row for row in gateway.client.get("/api/providers", KEY).json["data"]}


MODELS = json.dumps({"data": [{"id": "gpt-4o"}]}).encode()
NO_KEY = json.dumps({"error": {"message": "Incorrect API key provided: sk-one-2."}}).encode()
JSON = (("content-type", "application/json"),)


def test_a_check_tells_which_key_is_wrong(launch: Launch, upstream: Upstream) -> None:
    one = {"kind": "openai", "base_url": upstream.base_url, "api_keys": ["sk-one-1", "sk-one-2"]}
    gateway = launch({"server": {"api_keys": ["hw-mine"]}, "providers": {"one": one}})
    right = Answer((MODELS,), headers=JSON, is_verbatim=True)
    wrong = Answer((NO_KEY,), status=401, headers=JSON, is_verbatim=True)
    upstream.play(wrong)
    upstream.play_by_key({"sk-one-1": right})
    assert gateway.client.call("POST", "/api/providers/one/check", {}).status == 401
    reply = gateway.client.call("POST", "/api/providers/one/check", {}, KEY)
    assert reply.status == 200, reply.body
    read = catalog.ProviderCheck.model_validate_json(json.dumps(reply.json), strict=True)
    assert json.loads(read.model_dump_json(exclude_unset=True)) == reply.json
    assert [(each["key"], each["status"]) for each in reply.json["keys"]] == [
        ("1", "ok"), ("2", "wrong_key"),
    ]  # fmt: skip
    assert (reply.json["status"], reply.json["models"]) == ("wrong_key", 1)
    assert b"sk-one" not in reply.body
    before = len(upstream.exchanges)
    again = gateway.client.call("POST", "/api/providers/one/check", {}, KEY)
    assert (again.json, len(upstream.exchanges)) == (reply.json, before)
    assert {(each.method, each.path) for each in upstream.exchanges} == {("GET", "/v1/models")}
