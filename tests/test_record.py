from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headway.ledger import docs
from headway.metering.timing import Timing
from headway.record import Asked, Came, Record, begin, decode, end
from headway.types import Usage

Parts = tuple[Asked, Came, Usage, Timing]
LEAST: Parts = (
    Asked(id="5f0c", request_id="72f3", route="/api/engine/chat/{provider}", dialect="engine"),
    Came(timestamp=1718622757.612226, started=1718622756.5, outcome="ok"),
    Usage(),
    Timing(),
)
WHOLE: Parts = (
    msgspec.structs.replace(
        LEAST[0],
        provider="gpu",
        kind="openai",
        model="a\nb\u2028c",
        stream=True,
        transformations=("max_tokens became max_completion_tokens",),
    ),
    msgspec.structs.replace(
        LEAST[1], error_message="line one\r\nline two", cost_usd="0.0000000001"
    ),
    Usage(input_tokens=6, cache_read_tokens=2),
    Timing(latency_s=1.0556859970092773, inter_token_latency_max_s=0.25),
)


def encode(parts: Parts) -> bytes:
    asked, *others = parts
    return end(begin(asked), *others)


def fields_of(*parts: msgspec.Struct) -> dict[str, Any]:
    return {name: value for part in parts for name, value in msgspec.structs.asdict(part).items()}


@pytest.mark.parametrize("parts", [LEAST, WHOLE])
def test_a_record_is_one_line_and_comes_back_the_same(parts: Parts) -> None:
    line = encode(parts)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert b"\r" not in line
    assert decode(line) == Record(**fields_of(*parts))


def test_every_field_is_written_once_and_unknown_is_null() -> None:
    written = json.loads(encode(LEAST), object_pairs_hook=list)
    assert sorted(name for name, _ in written) == sorted(Record.__struct_fields__)
    assert ("v", 1) in written
    assert ("cost_usd", None) in written
    assert ("input_tokens", None) in written


def test_what_a_field_is_when_nobody_says_is_the_same_on_both_sides() -> None:
    given = {"id", "request_id", "timestamp", "started", "route", "dialect", "outcome"}
    parts = [*msgspec.structs.fields(Asked), *msgspec.structs.fields(Came)]
    own = {f.name: (f.type, f.default) for f in parts}
    read = {f.name: (f.type, f.default) for f in msgspec.structs.fields(Record)}
    assert given < own.keys() < read.keys()
    assert own == {name: read[name] for name in own}


def test_cost_stays_the_exact_decimal_that_it_was() -> None:
    assert json.loads(encode(WHOLE))["cost_usd"] == "0.0000000001"


def test_a_later_version_with_more_fields_is_still_read() -> None:
    line = encode(LEAST).replace(b'"v":1', b'"v":2,"team":"blue"')
    assert decode(line).v == 2


def test_a_line_torn_at_any_byte_is_no_record() -> None:
    line = encode(LEAST)
    for size in range(len(line) - 1):
        with pytest.raises(msgspec.DecodeError):
            decode(line[:size])


@pytest.mark.parametrize("struct", [Usage, Timing])
def test_all_that_is_metered_is_recorded(struct: type[msgspec.Struct]) -> None:
    assert set(struct.__struct_fields__) <= set(Record.__struct_fields__)


def test_the_documentation_is_what_the_struct_says() -> None:
    page = Path(__file__).parents[1] / "docs" / "ledger.md"
    assert page.read_text() == docs.markdown(), "run python -m headway.ledger.docs > docs/ledger.md"


def test_every_field_is_documented_with_its_meaning() -> None:
    rows = list(docs.fields())
    assert [name for name, _, _ in rows] == list(Record.__struct_fields__)
    assert [name for name, _, meaning in rows if not meaning] == []
