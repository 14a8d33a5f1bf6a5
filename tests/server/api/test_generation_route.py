"""What a reply used and cost, as clients of OpenRouter read it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from headway.ledger.store import Call
from headway.server.api.generation_route import generation_of
from support.for_each import for_each
from support.ledger_records import failed, record
from support.ledger_server import LedgerServer


@pytest.fixture(scope="module")
def server() -> Iterator[LedgerServer]:
    server = LedgerServer(record(1))
    yield server
    server.close()


@for_each("base", ["/api/v1", "/v1", "", "/openai/v1"])
def test_clients_find_it_below_every_base(server: LedgerServer, base: str) -> None:
    data = server.get(f"{base}/generation?id={record(1).id}").json["data"]
    assert data["id"] == record(1).id
    assert data["total_cost"] == data["usage"] == 0.0025
    assert (data["tokens_prompt"], data["native_tokens_completion"]) == (1000, 100)
    assert (data["native_tokens_cached"], data["native_tokens_reasoning"]) == (200, None)
    assert (data["latency"], data["generation_time"]) == (750, 2000)
    assert data["created_at"] == "2026-11-30T11:59:58.500000Z"
    assert (data["streamed"], data["cancelled"], data["is_byok"]) == (True, False, False)
    assert data["provider_name"] == "azure-eu"
    assert data["finish_reason"] == "stop"


def test_an_id_is_needed_and_must_be_known(server: LedgerServer) -> None:
    reply = server.get("/api/v1/generation")
    assert (reply.status, reply.error["param"]) == (400, "id")
    assert server.get("/api/v1/generation?id=none").status == 404


def test_what_a_client_sends_besides_is_ignored(server: LedgerServer) -> None:
    assert server.get(f"/api/v1/generation?id={record(1).id}&x=1").status == 200


def test_the_saving_of_the_cache_is_its_discount() -> None:
    assert generation_of(Call((record(1),)))["cache_discount"] == 0.0003
    assert generation_of(Call((failed(1),)))["cache_discount"] is None


def test_attempts_add_up_and_are_listed() -> None:
    first = failed(1, cost_usd="0.001", upstream_request_id="up-1")
    found = generation_of(Call((first, record(2))))
    assert found["total_cost"] == 0.0035
    assert [each["status"] for each in found["provider_responses"]] == [500, 200]


def test_a_cancelled_call_without_tokens_says_so() -> None:
    found = generation_of(Call((failed(1, outcome="cancelled", latency_s=None),)))
    assert (found["cancelled"], found["total_cost"]) == (True, 0.0)
    assert found["latency"] is found["generation_time"] is None
