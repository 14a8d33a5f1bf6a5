"""The flat list of models over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from catalog.gateways import four_providers
from headway.routing.model_aliases import ModelAliases
from support.for_each import for_each
from support.ledger_server import LedgerServer


@pytest.fixture(scope="module")
def server() -> Iterator[LedgerServer]:
    server = LedgerServer()
    four = four_providers().snapshot
    server.gateway.snapshot = replace(
        server.gateway.snapshot,
        upstreams=four.upstreams,
        prices=four.prices,
        unlisted=frozenset({"cohere"}),
        aliases=ModelAliases.from_table({"best": "openai/o3", "far": "cohere/command-r"}),
    )
    yield server
    server.close()


def ids(server: LedgerServer, query: str = "") -> list[str]:
    reply = server.get(f"/api/models{query}")
    assert reply.status == 200, reply.body
    return [row["id"] for row in reply.json["data"]]


def test_all_models_are_listed_after_the_names_of_the_configuration(server: LedgerServer) -> None:
    found = ids(server)
    assert found[:2] == ["best", "far"]
    assert {"openai/gpt-4o", "mine/a", "echo/echo", "cohere/command-r"} < set(found)
    assert server.get("/api/models").json["errors"] == {}


def test_filters_select_rows(server: LedgerServer) -> None:
    usable, others = ids(server, "?usable=1"), ids(server, "?usable=false")
    assert "openai/gpt-4o" in usable
    assert "best" in usable
    assert others[0] == "far"
    assert {name.partition("/")[0] for name in others[1:]} == {"cohere"}
    assert sorted(usable + others) == sorted(ids(server))
    assert ids(server, "?provider=echo") == ["echo/echo"]
    assert ids(server, "?provider=mine&usable=0") == []
    assert ids(server, "?provider=openai&kind=chat")[0] == "best"
    embedders = ids(server, "?kind=embedding")
    assert "openai/text-embedding-3-small" in embedders
    assert "openai/gpt-4o" not in embedders


def test_the_list_is_sent_once(server: LedgerServer) -> None:
    first = server.get("/api/models?usable=1")
    again = server.get("/api/models?usable=1", if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert "content-length" not in again.headers


@for_each(
    ("query", "status", "says"),
    [
        ("?kind=poem", 400, "`kind` is wrong: it takes chat, embedding,"),
        ("?usable=perhaps", 400, "`usable` must be 1 or 0."),
        ("?live=perhaps", 400, "`live` must be 1 or 0."),
        ("?provider=nobody", 404, "No provider is called 'nobody'"),
        ("?limit=3", 400, "There is no parameter `limit` here"),
    ],
)
def test_a_wrong_question_says_what_is_right(
    server: LedgerServer, query: str, status: int, says: str
) -> None:
    reply = server.get(f"/api/models{query}")
    assert reply.status == status
    assert says in reply.error["message"]
