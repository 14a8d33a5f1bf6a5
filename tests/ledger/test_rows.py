"""What databases keep of a record, without a database."""

from __future__ import annotations

from msgspec.structs import asdict, replace

from headway.ledger.ids import pack_id, pack_ids, unpack_id
from headway.ledger.rows import round_record
from headway.record import LineItem
from support.ledger_stores import make_record, uuid_of


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


def test_ids_are_packed_together_as_they_are_packed_alone() -> None:
    plain, others = [uuid_of(at) for at in range(3)], ("", "x" * 36, uuid_of(1).upper(), "ä")
    wrong = [uuid_of(1).replace("0", mark, 1) for mark in ("-", "g", "\u0660")]
    shifted = [uuid_of(1)[:-1], uuid_of(2) + "0"]
    for texts in ([], plain, shifted, *[[*plain, other] for other in (*others, *wrong)]):
        assert pack_ids(texts) == list(map(pack_id, texts)), texts
        assert list(map(unpack_id, pack_ids(texts))) == list(texts)
