"""The providers, how they are, and whether their keys work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from catalog.gateways import make, upstream
from headway.ledger.store import Store, StoreError
from headway.pipeline.gateway import Upstream, UpstreamKey
from headway.server.api.provider_routes import NO_LEDGER
from support.for_each import for_each
from support.ledger_records import record
from support.ledger_server import LedgerServer, key_id

NewServer = Callable[..., LedgerServer]
KEYS = tuple(UpstreamKey(id=f"mine#{at}", name=str(at), key=f"sk-secret-{at}") for at in (1, 2))


def mine(**more: Any) -> Upstream:
    facts = {"keys": KEYS, "api_key": "sk-secret-1", "has_key": True, "models": ("a", "b"), **more}
    return upstream("mine", "openai", "https://eu.example.com:8443/account-7/v1", **facts)


def serve(new_server: NewServer, *entries: Any, **options: Any) -> LedgerServer:
    server = new_server(*entries, **options)
    made = make(
        {
            "mine": mine(),
            "gpu": upstream("gpu", "openai", "http://127.0.0.1:9/v1", api_key=None, has_key=None),
            "away": upstream("away", "openai", has_key=False),
        }
    )
    server.gateway.snapshot = replace(
        server.gateway.snapshot,
        upstreams=made.snapshot.upstreams,
        prices=made.snapshot.prices,
        unlisted=frozenset({"away"}),
    )
    return server


def rows(server: LedgerServer, query: str = "", key: str | None = None) -> dict[str, Any]:
    reply = server.get(f"/api/providers{query}", key)
    assert reply.status == 200, reply.body
    return {row["name"]: row for row in reply.json["data"]}


def test_a_provider_is_described_without_secrets(new_server: NewServer) -> None:
    server = serve(new_server)
    found = rows(server)
    assert list(found) == ["mine", "gpu"]
    row = found["mine"]
    assert (row["title"], row["kind"], row["wire"]) == ("OpenAI", "openai", "openai_chat")
    assert (row["host"], row["is_local"]) == ("eu.example.com:8443", False)
    assert (row["has_key"], row["usable"], row["can_check"]) == (True, True, True)
    assert (row["models"], row["models_source"]) == (2, "configuration")
    assert [key["name"] for key in row["keys"]] == ["1", "2"]
    gpu = found["gpu"]
    assert (gpu["is_local"], gpu["has_key"], gpu["keys"], gpu["models"]) == (True, None, [], None)
    reply = server.get("/api/providers?all=1")
    assert [each["name"] for each in reply.json["data"]] == ["mine", "gpu", "away"]
    assert not reply.json["data"][2]["usable"]
    assert b"sk-secret" not in reply.body
    assert b"account-7" not in reply.body


def test_keys_and_targets_that_are_left_alone_say_for_how_long(new_server: NewServer) -> None:
    server = serve(new_server)
    gateway = server.gateway
    state, now = server.pipe.gateway.routing_state, gateway.clock()
    observed = state.known_targets()
    assert rows(server)["mine"]["breaker"] is None
    state.target("mine/a").breaker.open(now, 12.0)
    state.target("mine/b").outstanding = 3
    state.target("gpu/c")
    state.breaker("mine/a", "mine#1").open(now, 7.0)  # type: ignore[attr-defined]
    state.breaker("", "mine#2").open(now, 60.0)  # type: ignore[attr-defined]
    found = rows(server)
    row = found["mine"]
    assert len(observed) == 3
    assert (row["breaker"], row["outstanding"]) == ("open", 3)
    assert row["targets_left_alone"] == [
        {"target": "mine/a", "state": "open", "left_alone_s": 12.0, "error_share": 0.0}
    ]
    first, second = row["keys"]
    assert (first["is_left_alone"], first["until"], first["limited"]) == (
        False, None, {"mine/a": 7.0},
    )  # fmt: skip
    assert (second["is_left_alone"], second["left_alone_s"], second["limited"]) == (True, 60.0, {})
    assert second["until"].startswith("20")
    assert found["gpu"]["breaker"] == "closed"


def test_what_happened_lately_is_that_of_the_ledger(new_server: NewServer) -> None:
    made = [record(n, provider="mine", latency_s=float(n), call_id=f"c{n}") for n in range(1, 9)]
    failed = record(20, provider="mine", outcome="error", call_id="c20", status=500)
    left = record(21, provider="mine", outcome="cancelled", call_id="c21")
    found = rows(serve(new_server, *made, failed, left))["mine"]["recent"]
    assert (found["attempts"], found["errors"], found["cancelled"]) == (10, 1, 1)
    assert (found["error_rate"], found["calls"]) == (0.1, 10)
    assert found["metrics"]["latency_s"]["count"] >= 8
    assert set(found["metrics"]) == {
        "time_to_first_token_s", "inter_token_latency_s", "latency_s", "tokens_per_second",
    }  # fmt: skip
    assert found["since"].endswith(":00:00.000000Z")


def test_a_provider_that_nobody_called_has_no_rate(new_server: NewServer) -> None:
    found = rows(serve(new_server))["mine"]["recent"]
    assert (found["attempts"], found["error_rate"]) == (0, None)


def test_a_key_sees_its_own_calls_alone(new_server: NewServer) -> None:
    entries = [
        record(1, provider="mine", key_id=key_id("hw-one"), call_id="c1"),
        record(2, provider="mine", key_id=key_id("hw-two"), call_id="c2"),
    ]
    server = serve(new_server, *entries, keys=("hw-one", "hw-two", "hw-all"), admins=("hw-all",))
    attempts = [rows(server, key=key)["mine"]["recent"]["attempts"] for key in ("hw-one", "hw-all")]
    assert attempts == [1, 2]
    assert server.get("/api/providers").status == 401
    assert server.post("/api/providers/mine/check", {}).status == 401


def test_a_ledger_that_is_down_hides_nothing_else(new_server: NewServer) -> None:
    class Down:
        def __getattr__(self, name: str) -> Callable[..., object]:
            async def fail(*_: object, **__: object) -> None:
                if name not in ("open", "close"):
                    raise StoreError("the disk is full")

            return fail

    store: Store = Down()  # type: ignore[assignment]
    server = serve(new_server, store=store)
    reply = server.get("/api/providers")
    assert reply.json["note"] == NO_LEDGER
    assert reply.json["data"][0]["recent"] is None


ADDRESSES = [
    ("http://localhost:1234/v1", "localhost:1234", True),
    ("http://[::1]:80/v1", "[::1]:80", True),
    ("unix:/run/model.sock:/v1", None, True),
    ("https://models.example/v1", "models.example", False),
    ("https://models.example:port/v1", None, False),
]


@for_each(("address", "host", "is_local"), ADDRESSES)
def test_the_host_says_whether_it_is_on_this_machine(
    address: str, host: str | None, is_local: bool
) -> None:
    server = LedgerServer()
    one = upstream("mine", "openai", address)
    server.gateway.snapshot = replace(server.gateway.snapshot, upstreams={"mine": one})
    row = rows(server)["mine"]
    server.close()
    assert (row["host"], row["is_local"]) == (host, is_local)


@for_each(
    ("path", "status", "says"),
    [
        ("nobody/check", 404, "No provider is called 'nobody'"),
        ("mine", 404, "There is nothing at /api/providers/mine"),
        ("mine/check?live=1", 400, "There is no parameter `live`"),
    ],
)
def test_what_cannot_be_checked_says_so(path: str, status: int, says: str) -> None:
    server = LedgerServer()
    server.gateway.snapshot = replace(server.gateway.snapshot, upstreams={"mine": mine()})
    reply = server.post(f"/api/providers/{path}", {})
    server.close()
    assert reply.status == status
    assert says in reply.error["message"]
