from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from headway.ledger import docs
from headway.metering.timing import Timing
from headway.record import Record, decode, encode
from headway.types import Usage

MINIMAL = Record(
    id="5f0c",
    request_id="72f3",
    timestamp=1718622757.612226,
    started=1718622756.5,
    route="/api/engine/chat/{provider}",
    dialect="engine",
    outcome="ok",
)
DETAILED = msgspec.structs.replace(
    MINIMAL,
    provider="gpu",
    kind="openai",
    model="a\nb\u2028c",
    stream=True,
    transformations=("renamed max_tokens -> max_completion_tokens",),
    error_message="line one\r\nline two",
    cost_usd="0.0000000001",
    input_tokens=6,
    cache_read_tokens=2,
    latency_s=1.0556859970092773,
    inter_token_latency_max_s=0.25,
)


@pytest.mark.parametrize("record", [MINIMAL, DETAILED])
def test_a_record_is_one_line_and_is_decoded_to_the_same(record: Record) -> None:
    line = encode(record)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert b"\r" not in line
    assert decode(line) == record


def test_every_field_is_written_once_and_unknown_is_null() -> None:
    written = json.loads(encode(MINIMAL), object_pairs_hook=list)
    assert [name for name, _ in written] == list(Record.__struct_fields__)
    assert ("v", 1) in written
    assert ("cost_usd", None) in written
    assert ("input_tokens", None) in written


def test_cost_stays_an_exact_decimal() -> None:
    assert json.loads(encode(DETAILED))["cost_usd"] == "0.0000000001"


def test_a_later_version_with_more_fields_is_decoded() -> None:
    line = encode(MINIMAL).replace(b'"v":1', b'"v":2,"team":"blue"')
    assert decode(line).v == 2


def test_a_line_torn_at_any_byte_is_no_record() -> None:
    line = encode(MINIMAL)
    for size in range(len(line) - 1):
        with pytest.raises(msgspec.DecodeError):
            decode(line[:size])


@pytest.mark.parametrize("struct", [Usage, Timing])
def test_everything_that_is_metered_has_a_field(struct: type[msgspec.Struct]) -> None:
    assert set(struct.__struct_fields__) <= set(Record.__struct_fields__)


def test_the_documentation_is_generated_from_the_struct() -> None:
    page = Path(__file__).parents[1] / "docs" / "ledger.md"
    assert page.read_text() == docs.markdown(), "run python -m headway.ledger.docs > docs/ledger.md"


def test_every_field_is_documented_with_its_meaning() -> None:
    rows = list(docs.fields())
    assert [name for name, _, _ in rows] == list(Record.__struct_fields__)
    assert [name for name, _, meaning in rows if not meaning] == []
