"""What is stored comes back, once."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace
from tests.support.ledger_stores import SyncStore, make_attempts, make_record, uuid_of

from headway.ledger.store import Filter, Position
from headway.record import Feedback, LineItem, SpooledRecord, decode_shipped, encode

FULL = make_record(
    1, session_id="a session", user="ann", tags=("team:a", "eval"), route="/v1/messages",
    dialect="anthropic_messages", error_type="overloaded", error_code="529",
    error_message="It's \"busy\" 100%", upstream_request_id="req_1", cache_read_tokens=10,
    cache_write_tokens=20, cache_write_1h_tokens=5, reasoning_tokens=7, input_audio_tokens=3,
    web_searches=2, audio_seconds=1.5, native_path="POST /v1/x", transformations=("a", "b"),
    cost_usd="0.000300000000001", cost_computed_usd="0.0000000000000000001",
    cost_source="provider", cost_unknown_reason="why", price_source="configured",
    price_conditions={"speed": "fast"}, price_date="2026-11-01", role="hedge", is_drained=True,
    parameters={"temperature": Raw(b"0.5"), "stop": Raw(b'"x"')}, content="hash", reply_id="msg_1",
    line_items=(LineItem("input", "990", "0.0000003"), LineItem("output", "200", "0.000001")),
    gap_counts=((-1, 2), (700, 1), (701, 300), (1200, 5)), content_events=12,
    time_to_first_byte_s=0.1, time_to_first_token_s=0.2, time_to_sent_s=0.001,
    inter_token_latency_s=0.01, inter_token_latency_p50_s=0.02, inter_token_latency_p95_s=0.03,
    inter_token_latency_max_s=0.04, tokens_per_second=400.0, gateway_overhead_s=0.000012345,
    request_bytes=1, response_bytes=2, upstream_request_bytes=3, upstream_response_bytes=2**40,
    route_name="smart", decision='{"strategy":"ordered"}', provider_key="2", cache="miss",
    saved_usd="0.001", shadow_of=uuid_of(7), connect_s=0.25,
)  # fmt: skip


def test_a_record_comes_back_with_all_its_fields(store: SyncStore) -> None:
    plain, copy = make_record(2), make_record(3, role="shadow", shadow_of=uuid_of(2))
    lost = make_record(4, role="hedge", error_type="hedge_lost", outcome="cancelled", is_last=False)
    assert store.add([FULL, plain, copy, lost]) == 4
    assert store.call(FULL.id).attempts == (FULL,)
    assert store.call(plain.id).attempts == (plain,)
    records, cursor = store.attempts(Filter())
    assert (list(records), cursor) == ([FULL, plain, copy, lost], None)
    assert store.check() == []


def test_a_record_of_the_spool_is_stored_like_any_other(store: SyncStore) -> None:
    records = [FULL, make_record(2), make_record(3, gap_counts=((5, 1),) * 300)]
    spooled = [SpooledRecord(*msgspec.structs.astuple(record)) for record in records]
    shipped = [decode_shipped(encode(record)) for record in spooled]
    assert store.add([*shipped[:2], shipped[0]]) == 2
    assert store.add([shipped[2]]) == 1
    assert list(store.attempts(Filter())[0]) == records
    (usage,) = store.usage(Filter(), metrics=["inter_token_latency_s"])
    assert usage.gaps.counts == {-1: 2, 700: 1, 701: 300, 1200: 5, 5: 300}


def test_gaps_that_are_no_pairs_are_refused(store: SyncStore) -> None:
    for gaps in (b"[[1,2],[3]]", b'[["a",1]]', b"[1]", b'{"a":1}'):
        shipped = msgspec.structs.replace(decode_shipped(encode(FULL)), gap_counts=Raw(gaps))
        with pytest.raises((ValueError, msgspec.DecodeError)):
            store.add([shipped])
    assert store.describe().records == 0


def test_a_call_is_found_by_the_id_of_its_reply(store: SyncStore) -> None:
    for number, reply_id in enumerate(("chatcmpl-1", "same", "same", uuid_of(99))):
        store.add([make_record(number, reply_id=reply_id)])
    for reply_id, number in (("chatcmpl-1", 0), ("same", 2), (uuid_of(99), 3)):
        found = store.call(reply_id)
        assert found is not None
        assert found.last == make_record(number, reply_id=reply_id)
    rows = store.logs(Filter(ids=("same", "chatcmpl-1"))).rows
    assert [row.last.id for row in rows] == [make_record(number).id for number in (2, 1, 0)]
    assert store.call("same", "another-key") is None


def test_ids_that_are_no_uuids_are_kept_as_they_are(store: SyncStore) -> None:
    ids = ("x", "a'b%_\\", "0" * 36, "F" * 8 + uuid_of(1)[8:], "é" * 16, "ids-1")
    for at, id_ in enumerate(ids):
        store.add([make_record(at, id=id_, call_id=id_, request_id=f"r{id_}")])
    for id_ in ids:
        assert store.call(id_).id == id_
        assert store.call(f"r{id_}").id == id_
    assert store.call("ids-2") is None


def test_ids_of_providers_come_back(store: SyncStore) -> None:
    ids = (
        "req_0123456789abcdef01234567", "req_0123456789abcdef", "_0123456789abcdef0123456789abcdef",
        "a_b_0123456789abcdef0123456789abcdef", "req_0123456789ABCDEF01234567", uuid_of(7), "_",
        "é_0123456789abcdef0123456789abcdef", "req_0123456789abcde 0123456", "req_011CSHoEeqs5C35K",
        "x_" + "ab" * 200, "ab_0123456789abcdef01234567", "abc_0123456789abcdef01234567",
    )  # fmt: skip
    store.add([make_record(at, upstream_request_id=id_) for at, id_ in enumerate(ids)])
    found, _ = store.attempts(Filter())
    assert tuple(record.upstream_request_id for record in found) == ids


def test_a_record_that_is_stored_twice_counts_once(store: SyncStore) -> None:
    one, other = make_record(1), make_record(2)
    assert store.add([one]) == 1
    assert store.add([one, other, other]) == 1
    assert store.add([one, other]) == 0
    (usage,) = store.usage(Filter())
    assert (usage.calls, usage.input_tokens, usage.cost_usd) == (2, 2000, Decimal("0.0072"))
    assert len(store.logs(Filter()).rows) == 2


def test_records_of_the_same_microsecond_are_all_kept(store: SyncStore) -> None:
    ids = [f"{at:08x}-0000-4000-8000-000000000000" for at in range(60)]
    records = [make_record(1, id=id_, call_id=id_) for id_ in ids]
    assert store.add(records[:40]) == 40
    assert store.add(records) == 20
    assert store.add(records) == 0
    assert store.describe().records == 60
    assert {row.last.id for row in store.logs(Filter(), limit=100).rows} == set(ids)


def test_the_cost_of_a_call_is_that_of_all_its_attempts(store: SyncStore) -> None:
    attempts = make_attempts(1, "0.1", None, "0.02")
    store.add([*attempts[::2], make_record(2)])
    store.add(attempts[1:2])
    rows = store.logs(Filter()).rows
    assert [(row.last.call_id, row.cost_usd) for row in rows] == [
        (uuid_of(2), Decimal("0.0036")),
        (uuid_of(1), Decimal("0.12")),
    ]
    call = store.call(uuid_of(1))
    assert [attempt.attempt for attempt in call.attempts] == [1, 2, 3]
    assert call.last == attempts[-1]
    (usage,) = store.usage(Filter())
    assert (usage.calls, usage.attempts, usage.failed) == (2, 4, 0)
    assert usage.cost_usd == Decimal("0.1236")
    histogram = usage.histograms["cost_usd"]
    assert (histogram.count, round(histogram.total, 9)) == (2, 0.1236)


def test_costs_are_added_to_the_last_digit(store: SyncStore) -> None:
    costs = ["0.1", "0.000000000000000000000000000001", "12345678.9", "0.7", "0"]
    store.add([make_record(at, cost_usd=cost) for at, cost in enumerate(costs)])
    (usage,) = store.usage(Filter())
    assert usage.cost_usd == Decimal("12345679.700000000000000000000000000001")
    assert {str(row.cost_usd.normalize()) for row in store.logs(Filter()).rows} >= {"0.1"}


def test_what_is_unknown_is_not_zero(store: SyncStore) -> None:
    record = make_record(
        1,
        cost_usd=None,
        input_tokens=None,
        latency_s=None,
        key_id=None,
        tokens_per_second=None,
    )
    store.add([record])
    row = store.logs(Filter()).rows[0]
    assert (row.cost_usd, row.last.input_tokens, row.last.latency_s) == (None, None, None)
    (usage,) = store.usage(Filter(), ["key"])
    assert (usage.group, usage.calls, usage.unpriced) == ({"key": None}, 1, 1)
    assert usage.histograms["cost_usd"].count == usage.histograms["latency_s"].count == 0


def test_a_record_that_says_nonsense_does_not_keep_others_from_being_stored(
    store: SyncStore,
) -> None:
    records = [
        make_record(1, input_tokens=2**70),
        make_record(2, cost_usd="a lot"),
        make_record(3, started=-1e300),
        make_record(4, timestamp=1e18),
        make_record(5, timestamp=-1e18),
        make_record(6),
        make_record(7, status=2**40, upstream_status=-(2**40), attempt=2**33, attempts=2**33),
        make_record(8, status=2**70, attempts=2**70, content_events=2**70, input_characters=2**70),
        make_record(9, gateway_overhead_s=1e300, latency_s=float("inf"), v=2**80),
    ]
    assert store.add(records) == 9
    assert store.add(records) == 0
    assert len(store.logs(Filter()).rows) == 9
    assert len(store.logs(Filter(statuses=((600, 2**80),))).rows) == 2
    assert store.call(uuid_of(1)).last.input_tokens == 10**15
    assert store.call(uuid_of(8)).last.status == 2**31 - 1
    assert store.call(uuid_of(2)).last.cost_usd is None
    (usage,) = store.usage(Filter())
    assert (usage.calls, usage.cost_usd) == (9, Decimal("0.0288"))


def test_large_numbers_come_back_among_small_ones(store: SyncStore) -> None:
    large = make_record(
        2, latency_s=4000.0, started=make_record(2).timestamp - 4000.5, request_bytes=2**40,
        input_tokens=2**33, gateway_overhead_s=5.0, tokens_per_second=200 / 4000,
        time_to_first_token_s=3999.5,
    )  # fmt: skip
    records = [make_record(1), large, make_record(3)]
    assert store.add(records) == 3
    assert store.add(records) == 0
    assert list(store.attempts(Filter())[0]) == records
    assert [row.last for row in store.logs(Filter(min_latency_s=3000.0)).rows] == [large]
    (usage,) = store.usage(Filter())
    assert (usage.calls, usage.input_tokens) == (3, 2**33 + 2000)
    assert usage.histograms["latency_s"].total == 4001.0


def test_feedback_belongs_to_its_call(store: SyncStore) -> None:
    given = Feedback(
        id=uuid_of(9), call_id=uuid_of(1), timestamp=1_790_000_000.5, key_id="key-a",
        score=0.5, label="good", comment="it's fine",
    )  # fmt: skip
    store.add([make_record(1), given])
    store.add([given, replace(given, id=uuid_of(10), timestamp=1_790_000_001.0)])
    assert store.call(uuid_of(1)).feedback[0] == given
    assert len(store.call(uuid_of(1)).feedback) == 2


def test_positions_are_those_of_the_last_batch(store: SyncStore) -> None:
    store.add([make_record(1)], [Position("a.jsonl", 10), Position("b.jsonl", 5)])
    store.add([], [Position("a.jsonl", 20)])
    assert dict(store.positions()) == {"a.jsonl": 20, "b.jsonl": 5}
    store.forget_positions(["b.jsonl", "c.jsonl"])
    assert dict(store.positions()) == {"a.jsonl": 20}


def test_only_its_owner_sees_a_call(store: SyncStore) -> None:
    store.add([make_record(1), make_record(2, key_id="key-b")])
    assert store.call(uuid_of(1), owner="key-b") is None
    assert store.call("request-1", owner="key-b") is None
    assert store.call("request-2", owner="key-b").id == uuid_of(2)
    assert [row.last.id for row in store.logs(Filter(owner="key-b")).rows] == [uuid_of(2)]
