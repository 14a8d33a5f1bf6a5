"""What databases keep of a record, without a database."""

from __future__ import annotations

from msgspec.structs import asdict, replace

from headway.ledger.rows import round_record
from headway.record import LineItem
from support.ledger_stores import make_record


def test_a_record_is_rounded_to_microseconds_and_exact_amounts() -> None:
    record = replace(
        make_record(1),
        latency_s=1.23456789,
        gateway_overhead_s=0.0001234567891,
        output_tokens=7,
        cost_usd="0.000097500",
        line_items=(LineItem("output_tokens", "7", "0.00001"),),
        tags=("a", "b"),
        gap_counts=((3, 2),),
    )
    rounded = round_record(record)
    assert rounded.latency_s == 1.234568
    assert rounded.tokens_per_second == 7 / 1.234568
    assert rounded.gateway_overhead_s == 0.000123457
    assert rounded.cost_usd == "0.0000975"
    same = ("id", "call_id", "model", "tags", "line_items", "gap_counts", "finish_reason")
    assert [getattr(rounded, name) for name in same] == [getattr(record, name) for name in same]
    assert asdict(round_record(rounded)) == asdict(rounded)
