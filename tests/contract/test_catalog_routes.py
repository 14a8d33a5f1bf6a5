"""What a page shows of models and providers, asked of a running server."""

from __future__ import annotations

import json

import pytest

from contract.conftest import Launch
from headway.server.openapi.schemas import catalog
from support.gateway_process import Gateway
from support.openai_upstream import Upstream

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
