"""The comparison of a route's targets over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.ledger_records import record
from support.ledger_server import LedgerServer


@pytest.fixture(scope="module")
def server() -> Iterator[LedgerServer]:
    routed = [record(number, route_name="team/smart", latency_s=1.0) for number in range(1, 121)]
    others = [
        record(number, route_name="team/smart", provider="groq", latency_s=0.5)
        for number in range(200, 320)
    ]
    server = LedgerServer(*routed, *others)
    yield server
    server.close()


def test_a_route_whose_name_has_slashes_is_compared(server: LedgerServer) -> None:
    found = server.get("/api/routes/team/smart/comparison?metric=latency").json
    assert (found["route"], found["metric"], found["unit"]) == ("team/smart", "latency", "seconds")
    assert [each["requests"] for each in found["targets"]] == [120, 120]
    assert found["targets"][1]["result"] in ("lower", "higher")
    assert "holds whenever you look" in found["targets"][1]["summary"]
    names = [each["target"] for each in found["targets"]]
    turned = server.get(f"/api/routes/team/smart/comparison?targets={names[1]},{names[0]}").json
    assert [each["target"] for each in turned["targets"]] == names[::-1]
    assert server.get("/api/routes/other/comparison?since=24h").json["targets"] == []


def test_a_server_without_routes_has_none(server: LedgerServer) -> None:
    found = server.get("/api/routes").json
    assert found["data"] == []
    assert "As this worker of the server sees it" in found["note"]
    assert server.get("/api/routes?since=1h").error["param"] == "since"


def test_what_is_wrong_is_named(server: LedgerServer) -> None:
    assert server.get("/api/routes/smart/comparison?metric=weight").error["param"] == "metric"
    assert server.get("/api/routes/smart/comparison?route=x").error["param"] == "route"
    many = ",".join(f"a/{at}" for at in range(30))
    assert server.get(f"/api/routes/smart/comparison?targets={many}").error["param"] == "targets"
    assert server.get("/api/routes/smart/else").status == 404
