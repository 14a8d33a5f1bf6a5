"""What the ledger answers, as JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from headway.ledger import json_views
from headway.ledger.json_views import call_details, log_line, reconciliation, session_view, spans
from headway.ledger.store import Call, Conversation, LogRow, Session
from headway.record import Feedback
from support.ledger_records import COST, NOON, failed, record


def as_json(view: Any) -> Any:
    return json.loads(json_views.encode(view))


def two_attempts() -> Call:
    """A failure for a second, and a success."""
    last = record(3, call_id="call", started=NOON, attempt=2, attempts=2, role="fallback",
                  latency_s=2.75, time_to_sent_s=1.25, time_to_first_byte_s=1.5,
                  time_to_first_token_s=2.0)  # fmt: skip
    first = failed(1, call_id="call", started=NOON, latency_s=0.75, is_last=False)
    return Call((first, last), (Feedback(id="f", call_id="call", timestamp=NOON, score=1.0),))


def test_a_row_has_the_id_of_the_reply_and_exact_dollars() -> None:
    row = as_json(log_line(LogRow(record(1, tags=("a", "b:c")), Decimal("0.0025"))))
    assert row["id"] == record(1).call_id
    assert row["time"] == "2026-11-30T12:00:01.000000Z"
    assert row["timestamp"] == NOON + 1
    assert (row["cost_usd"], row["cost_usd_exact"]) == (0.0025, "0.0025")
    assert row["cost_confidence"] == "reported"
    assert row["total_tokens"] == 1100
    assert row["tags"] == ["a", "b:c"]
    assert row["error"] is None


def test_a_record_of_an_earlier_version_is_named_by_its_own_id() -> None:
    assert log_line(LogRow(record(1, call_id=""), None)).id == record(1).id


def test_what_is_unknown_is_null() -> None:
    row = as_json(log_line(LogRow(failed(1), None)))
    assert row["total_tokens"] is row["cost_usd"] is row["cost_usd_exact"] is None
    assert row["cost_confidence"] is None
    expected = {"type": "provider_error", "code": "overloaded", "message": "The provider failed."}
    assert row["error"] == expected


def test_small_amounts_have_no_exponent() -> None:
    assert log_line(LogRow(record(1), Decimal("1E-9"))).cost_usd_exact == "0.000000001"


def test_the_confidence_in_a_cost_is_that_of_its_tokens_unless_the_provider_said_it() -> None:
    assert json_views.cost_confidence(record(1, tokens_source="estimated")) == "estimated"
    reported = record(1, tokens_source="estimated", cost_source="provider")
    assert json_views.cost_confidence(reported) == "reported"


def test_line_items_have_amounts_that_add_up() -> None:
    details = as_json(call_details(Call((record(1),)), None))
    cost = details["attempt_details"][0]["cost"]
    assert cost["line_items"][0] == {
        "kind": "input",
        "quantity": "800",
        "unit_price_usd": "0.000002",
        "amount_usd": "0.001600",
    }
    assert sum(Decimal(item["amount_usd"]) for item in cost["line_items"]) == Decimal(COST)
    assert cost["computed_usd_exact"] == COST
    assert cost["provider_usd_exact"] is cost["difference_usd_exact"] is None
    assert cost["price"] == {"source": "configured", "date": "2026-11-01", "conditions": {}}


def test_the_providers_own_figure_stands_beside_the_computation() -> None:
    both = record(1, cost_usd="0.003", cost_source="provider", cost_computed_usd="0.0025")
    cost = json_views.cost_view(both)
    assert (cost.provider_usd_exact, cost.computed_usd_exact) == ("0.003", "0.0025")
    assert cost.difference_usd_exact == "-0.0005"


def test_a_call_costs_what_its_attempts_cost() -> None:
    paid = failed(1, cost_usd="0.0001", is_last=False)
    details = call_details(Call((paid, record(2, attempts=2))), None)
    assert details.cost_usd_exact == "0.0026"
    assert call_details(Call((failed(1),)), None).cost_usd is None


def test_details_have_every_attempt_and_the_feedback() -> None:
    details = as_json(call_details(two_attempts(), None))
    assert details["id"] == "call"
    assert details["duration_s"] == 3.0
    assert [each["role"] for each in details["attempt_details"]] == ["first", "fallback"]
    assert details["attempt_details"][0]["error"]["code"] == "overloaded"
    assert details["attempt_details"][1]["record"]["upstream_status"] == 200
    assert details["feedback"][0]["score"] == 1.0
    assert details["conversation"] is None


def test_an_attempt_of_a_route_says_why_it_was_made_and_what_was_passed_over() -> None:
    decision = '{"strategy":"ordered","targets":["a"],"skipped":[{"target":"b","reason":"late"}]}'
    routed = record(1, role="fallback", route_name="smart", provider_key="2", cache="hit",
                    saved_usd="0.25", decision=decision)  # fmt: skip
    details = as_json(call_details(Call((routed,)), None))
    [attempt] = details["attempt_details"]
    assert (attempt["role"], attempt["route_name"], attempt["provider_key"]) == (
        "fallback", "smart", "2",
    )  # fmt: skip
    assert attempt["decision"] == json.loads(decision)
    assert (details["cache"], details["saved_usd"], details["saved_usd_exact"]) == (
        "hit", 0.25, "0.25",
    )  # fmt: skip
    for unknown in (None, "no JSON"):
        view = call_details(Call((record(1, decision=unknown),)), None).attempt_details[0]
        assert view.decision is None


def test_the_waterfall_covers_the_time_of_all_attempts() -> None:
    found = [(each.attempt, each.name, each.start_s, each.end_s) for each in spans(
        two_attempts().attempts)]  # fmt: skip
    assert found == [
        (1, "send", 0.0, 0.25),
        (1, "wait", 0.25, 0.5),
        (1, "stream", 0.5, 0.75),
        (1, "finish", 0.75, 1.0),
        (2, "send", 1.0, 1.25),
        (2, "wait", 1.25, 1.5),
        (2, "first_token", 1.5, 2.0),
        (2, "stream", 2.0, 2.75),
        (2, "finish", 2.75, 3.0),
    ]


@pytest.mark.parametrize(
    ("reached", "last"),
    [
        ({}, "send"),
        ({"time_to_sent_s": 0.25}, "wait"),
        ({"time_to_sent_s": 0.25, "time_to_first_byte_s": 0.5}, "first_token"),
        ({"time_to_first_token_s": 0.5}, "stream"),
    ],
)
def test_an_attempt_that_broke_off_ends_with_the_span_it_was_in(
    reached: dict[str, float], last: str
) -> None:
    nothing = {"time_to_sent_s": None, "time_to_first_byte_s": None, "latency_s": None}
    found = list(spans([failed(3, started=NOON, **{**nothing, **reached})]))
    assert found[-1].name == last
    assert found[-1].end_s == 3.0


def test_the_wait_for_a_connection_is_a_span_of_its_own() -> None:
    waited = record(1, started=NOON, time_to_sent_s=0.5, connect_s=0.375)
    found = [(each.name, each.start_s, each.end_s) for each in spans([waited])]
    assert found[:2] == [("send", 0.0, 0.125), ("connect", 0.125, 0.5)]
    lost = failed(3, started=NOON, connect_s=2.5, time_to_sent_s=None, latency_s=None,
                  time_to_first_byte_s=None)  # fmt: skip
    assert [(each.name, each.start_s, each.end_s) for each in spans([lost])] == [
        ("send", 0.0, 0.5), ("connect", 0.5, 3.0),
    ]  # fmt: skip


def test_an_attempt_says_when_each_step_was_done() -> None:
    one = record(
        4, started=NOON, time_to_sent_s=0.5, connect_s=0.375, time_to_first_byte_s=0.75,
        time_to_first_token_s=1.0, inter_token_latency_s=0.25, content_events=9, latency_s=3.25,
        transformations=("dropped seed: unsupported by Cohere",),
    )  # fmt: skip
    [view] = call_details(Call((one,)), None).attempt_details
    assert as_json(view.times) == {
        "ready_s": 0.125,
        "sent_s": 0.5,
        "first_byte_s": 0.75,
        "first_token_s": 1.0,
        "last_token_s": 3.0,
        "last_byte_s": 3.25,
        "ended_s": 4.0,
        "gateway_s": one.gateway_overhead_s,
    }
    assert view.transformations == one.transformations
    whole = record(4, started=NOON, time_to_first_token_s=1.0, inter_token_latency_s=None,
                   content_events=1)  # fmt: skip
    assert call_details(Call((whole,)), None).attempt_details[0].times.last_token_s == 1.0
    refused = record(
        0, started=NOON, content_events=None, time_to_sent_s=None, time_to_first_byte_s=None,
        time_to_first_token_s=None, latency_s=None,
    )  # fmt: skip
    times = call_details(Call((refused,)), None).attempt_details[0].times
    assert (times.ready_s, times.sent_s, times.last_token_s) == (None, None, None)


def test_a_hedge_starts_while_the_first_attempt_is_still_waiting() -> None:
    first = failed(2, started=NOON, latency_s=1.75, is_last=False)
    hedge = record(3, started=NOON, attempt=2, role="hedge", time_to_sent_s=1.0,
                   time_to_first_byte_s=1.5, time_to_first_token_s=2.0)  # fmt: skip
    found = [each for each in spans([first, hedge]) if each.attempt == 2]
    assert (found[0].start_s, found[0].end_s) == (1.0, 1.0)
    assert all(each.start_s <= each.end_s for each in found)


def test_gaps_are_ranges_with_counts() -> None:
    gaps = call_details(Call((record(1),)), None).attempt_details[0].gaps
    assert [gap.count for gap in gaps] == [2, 94]
    assert (gaps[0].from_s, gaps[0].to_s) == (0.0, 1e-9)
    assert gaps[1].to_s == pytest.approx(gaps[1].from_s * 1.02)


def test_kept_messages_are_given_as_they_were_sent() -> None:
    content = Conversation(
        "call", "openai_chat", "full", (Raw(b'{"role": "user"}'),), (Raw(b'{"content":"Hi"}'),),
        {"tools": Raw(b"[1]")}, Raw(b"null"),
    )  # fmt: skip
    details = json_views.encode(call_details(Call((record(1),)), content))
    assert b'"messages":[{"role": "user"}]' in details
    assert msgspec.json.decode(details)["conversation"]["parameters"] == {"tools": [1]}


def test_a_session_has_its_span_and_sums() -> None:
    session = Session("s", 3, 1, NOON, NOON + 90, 10, 20, Decimal("0.10"), ("a", "b"))
    view = as_json(session_view(session))
    assert view["duration_s"] == 90
    assert (view["cost_usd"], view["cost_usd_exact"]) == (0.1, "0.1")
    assert view["started"] == "2026-11-30T12:00:00.000000Z"


def test_reconciliation_tells_the_difference_and_the_ratio() -> None:
    both = record(1, cost_usd="0.002", cost_source="provider", cost_computed_usd="0.0025")
    row = reconciliation(both)
    assert (row.difference_usd_exact, row.ratio) == ("0.0005", 1.25)
    free = reconciliation(record(1, cost_usd="0", cost_source="provider", cost_computed_usd="1"))
    assert free.ratio is None
    total = json_views.reconciliation_total([row, free])
    assert (total.records, total.difference_usd_exact) == (2, "1.0005")
    assert json_views.reconciliation_total([]).provider_usd_exact == "0"
