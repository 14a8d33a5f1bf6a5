"""Spend as clients of LiteLLM's proxy ask for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import pytest

from headway.server.api import spend_routes
from support.for_each import for_each
from support.ledger_records import COST, NOON, failed, record
from support.ledger_server import LedgerServer, key_id

Make = Callable[..., LedgerServer]
DAY = 86400
SPEND = float(COST)


@pytest.fixture(scope="module")
def server() -> Iterator[LedgerServer]:
    """Two calls today, two yesterday, one fifty days ago."""
    yesterday = {"timestamp": NOON - DAY, "started": NOON - DAY - 1}
    server = LedgerServer(
        record(1, user="ann", tags=("team:a", "beta"), key_id=key_id("mine"), reply_id="chatcmpl-1",
               session_id="s"),
        failed(2, user="bob"),
        record(3, user="ann", model="o3", deployment=None, tags=("beta",), **yesterday),
        record(4, provider="groq", kind="groq", dialect="openai_embeddings", cache="hit",
               **yesterday),
        record(5, user="old", timestamp=NOON - 50 * DAY, started=NOON - 50 * DAY - 1),
    )  # fmt: skip
    yield server
    server.close()


def test_a_call_has_the_columns_of_a_spend_log(server: LedgerServer) -> None:
    (found,) = server.get("/spend/logs?request_id=chatcmpl-1").json
    assert found == {
        "request_id": "chatcmpl-1", "call_type": "acompletion", "api_key": key_id("mine"),
        "spend": SPEND, "total_tokens": 1100, "prompt_tokens": 1000, "completion_tokens": 100,
        "startTime": "2026-11-30T11:59:58.500000Z", "endTime": "2026-11-30T12:00:01.000000Z",
        "completionStartTime": "2026-11-30T11:59:59.250000Z", "request_duration_ms": 2500,
        "model": "gpt-4.1-2025-04-14", "model_id": "", "model_group": "gpt-4.1",
        "custom_llm_provider": "azure", "api_base": "", "user": "ann",
        "metadata": {"provider": "azure-eu", "attempts": 1}, "cache_hit": "False", "cache_key": "",
        "request_tags": ["team:a", "beta"], "team_id": None, "end_user": "ann",
        "requester_ip_address": None, "session_id": "s", "status": "success", "messages": {},
        "response": {},
    }  # fmt: skip
    (broken,) = server.get("/spend/logs?user_id=bob").json
    assert (broken["status"], broken["spend"], broken["total_tokens"]) == ("failure", 0.0, 0)
    (cached,) = server.get(f"/spend/logs?request_id={record(4).call_id}").json
    assert (cached["call_type"], cached["cache_hit"]) == ("aembedding", "True")


@for_each(
    "query, numbers",
    [
        ("", [2, 1, 4, 3, 5]),
        ("user_id=ann", [1, 3]),
        ("api_key=mine", [1]),
        (f"api_key={sha256(b'mine').hexdigest()}", [1]),
        (f"api_key={key_id('mine')}", [1]),
        ("api_key=anonymous&user_id=ann", [3]),
        ("api_key=sk-unknown", []),
        ("request_id=unknown", []),
        ("request_id=request-2", [2]),
        ("start_date=2026-11-29", [2, 1, 4, 3]),
        ("end_date=2026-11-29", [4, 3]),
        ("start_date=2026-11-30&end_date=2026-11-30&summarize=false", [2, 1]),
        ("start_date=2026-11-30&end_date=2026-11-30&request_id=chatcmpl-1", [1]),
    ],
)
def test_logs_are_filtered(server: LedgerServer, query: str, numbers: list[int]) -> None:
    names = [row["request_id"] for row in server.get(f"/spend/logs?{query}").json]
    expected = ["chatcmpl-1" if number == 1 else record(number).call_id for number in numbers]
    assert sorted(names) == sorted(expected)


def test_days_are_summed_up(server: LedgerServer) -> None:
    found = server.get("/spend/logs?start_date=2026-11-28&end_date=2026-12-01").json
    assert [day["startTime"] for day in found] == ["2026-11-29", "2026-11-30", "2026-12-01"]
    yesterday, today, tomorrow = found
    assert yesterday == {
        "startTime": "2026-11-29", "spend": 2 * SPEND, "users": {"ann": SPEND, "": SPEND},
        "models": {"o3": SPEND, "gpt-4.1": SPEND}, "anonymous": 2 * SPEND,
    }  # fmt: skip
    assert (today["spend"], today[key_id("mine")], today["users"]["bob"]) == (SPEND, SPEND, 0.0)
    assert tomorrow == {"startTime": "2026-12-01", "spend": 0.0, "users": {}, "models": {}}
    of_user = server.get("/spend/logs?start_date=2026-11-28&end_date=2026-11-30&user_id=ann").json
    assert [day["spend"] for day in of_user] == [SPEND, SPEND]
    assert server.get("/spend/logs?start_date=2027-01-01&end_date=2027-01-02").json == []


def test_the_last_thirty_days_are_summed_up(server: LedgerServer) -> None:
    def get(path: str) -> Any:
        return server.get(f"/global/spend{path}").json

    assert get("") == {"spend": pytest.approx(3 * SPEND), "max_budget": 0.0}
    assert get("/logs") == [
        {"date": "2026-11-29T00:00:00+00:00", "spend": 2 * SPEND},
        {"date": "2026-11-30T00:00:00+00:00", "spend": SPEND},
    ]
    assert get("/logs?api_key=mine") == [
        {"date": "2026-11-30T00:00:00+00:00", "spend": SPEND, "api_key": key_id("mine")}
    ]
    assert [(row["api_key"], row["total_spend"]) for row in get("/keys")] == [
        ("anonymous", 2 * SPEND),
        (key_id("mine"), SPEND),
    ]
    assert len(get("/keys?limit=1")) == 1
    assert get("/models") == [
        {"model": "gpt-4.1", "total_spend": 2 * SPEND, "total_tokens": 2200},
        {"model": "o3", "total_spend": SPEND, "total_tokens": 1100},
    ]
    assert get("/provider") == [
        {"provider": "azure-eu", "spend": 2 * SPEND},
        {"provider": "groq", "spend": SPEND},
    ]
    assert len(get("/provider?start_date=2026-11-30")) == 1


def test_tags_and_users_have_their_spend(server: LedgerServer) -> None:
    found = server.get("/global/spend/tags").json["spend_per_tag"]
    assert found == [
        {"name": "beta", "spend": 2 * SPEND, "log_count": 2},
        {"name": "team:a", "spend": SPEND, "log_count": 1},
    ]
    for tags, count in (("team:a,none", 1), ("all-tags", 2)):
        chosen = server.get(f"/global/spend/tags?tags={tags}").json["spend_per_tag"]
        assert len(chosen) == count
    assert server.get("/global/spend/all_tag_names").json == {"tag_names": ["beta", "team:a"]}
    assert server.get("/spend/tags?end_date=2026-11-29").json == [
        {"individual_request_tag": "beta", "log_count": 1, "total_spend": SPEND}
    ]
    users = server.post("/global/spend/end_users", b"").json
    assert users[0] == {"end_user": "ann", "total_count": 2, "total_spend": 2 * SPEND}
    assert {row["end_user"] for row in users} == {"ann", "", "bob"}
    asked = {"startTime": "2026-10-01", "endTime": "2026-11-29", "api_key": "anonymous"}
    assert {row["end_user"] for row in server.post("/global/spend/end_users", asked).json} == {
        "ann", "", "old",
    }  # fmt: skip


def test_each_key_reads_its_own_spend(new_server: Make) -> None:
    keys = ("mine", "other", "boss")
    entries = [record(at, key_id=key_id(key)) for at, key in enumerate(keys[:2])]
    server = new_server(*entries, keys=keys, admins=keys[2:])
    for key, count in (("mine", 1), ("other", 1), ("boss", 2)):
        assert len(server.get("/spend/logs", key).json) == count
        assert server.get("/global/spend", key).json["spend"] == pytest.approx(count * SPEND)
        assert len(server.get("/global/spend/keys", key).json) == count
    assert server.get("/spend/logs?api_key=other", "mine").json == []
    assert len(server.get("/spend/logs?api_key=other", "boss").json) == 1
    assert server.get("/spend/logs").status == 401


@for_each(
    "target, param",
    [
        ("/spend/logs?start_date=soon", "start_date"),
        ("/spend/logs?start_date=2026-11-30&end_date=2026-11-01", "start_date"),
        ("/spend/logs?start_date=2026-11-01&end_date=2026-11-30&summarize=maybe", "summarize"),
        ("/spend/logs?team_id=a", "team_id"),
        (f"/spend/logs?user_id={'x' * 600}", "user_id"),
        ("/spend/logs?user_id=%00", "user_id"),
        ("/global/spend/keys?limit=0", "limit"),
        ("/global/spend/models?limit=x", "limit"),
        ("/global/spend?limit=1", "limit"),
    ],
)
def test_a_wrong_parameter_is_named(server: LedgerServer, target: str, param: str) -> None:
    reply = server.get(target)
    assert (reply.status, reply.error["param"]) == (400, param)


def test_a_wrong_field_is_named(server: LedgerServer) -> None:
    for body, param in (
        ({"a": 1}, "a"),
        ({"api_key": 1}, "api_key"),
        ({"startTime": "x"}, "startTime"),
    ):
        reply = server.post("/global/spend/end_users", body)
        assert (reply.status in (400, 422), reply.error["param"]) == (True, param)


def test_days_without_calls_are_bounded(
    server: LedgerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spend_routes, "MAX_LIMIT", 10)
    found = server.get("/spend/logs?start_date=2026-11-30&end_date=9999-12-31").json
    assert len(found) == 10
