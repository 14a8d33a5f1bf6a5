from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import msgspec
import pytest

from headway.metering.price_data import (
    DatedRates,
    EffectivePeriod,
    Model,
    ModelMatcher,
    Rates,
    RateVariant,
    Tiered,
)
from support.for_each import for_each

CLAUSES = [
    (ModelMatcher(equals="o3"), ["o3"], ["o3-mini", "", "xo3"]),
    (ModelMatcher(starts_with="gpt-4o"), ["gpt-4o", "gpt-4o-mini"], ["chatgpt-4o", ""]),
    (ModelMatcher(ends_with=":free"), ["x:free"], ["x:free2", ""]),
    (ModelMatcher(contains="claude"), ["claude", "eu.claude-3"], ["claud", ""]),
    (ModelMatcher(regex=r"^grok-4-\d{2}$"), ["grok-4-07"], ["grok-4-7", "xgrok-4-07"]),
    (
        ModelMatcher(any_of=[ModelMatcher(equals="a"), ModelMatcher(contains="b")]),
        ["a", "xbx"],
        ["ax", ""],
    ),
    (
        ModelMatcher(all_of=[ModelMatcher(starts_with="a"), ModelMatcher(ends_with="z")]),
        ["az", "a-z"],
        ["a", "z"],
    ),
]


@pytest.mark.parametrize(("clause", "right", "wrong"), CLAUSES)
def test_a_model_matcher_matches_by_its_field(
    clause: ModelMatcher, right: list[str], wrong: list[str]
) -> None:
    assert [name for name in right + wrong if clause.matches(name)] == right


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def at(hour: int, minute: int = 0) -> time:
    return time(hour, minute, tzinfo=UTC)


ALWAYS = EffectivePeriod()
SINCE = EffectivePeriod(start=date(2025, 6, 10))
DAYTIME = EffectivePeriod(between=(at(1), at(4)))
NIGHT = EffectivePeriod(between=(at(16, 30), at(0, 30)))
BOTH = EffectivePeriod(start=date(2025, 6, 10), between=(at(1), at(4)))

TERMS = [
    (ALWAYS, "1999-01-01", True),
    (SINCE, "2025-06-09T23:59:59", False),
    (SINCE, "2025-06-10T00:00:00", True),
    (SINCE, "2030-01-01", True),
    (DAYTIME, "2025-01-01T00:59:59", False),
    (DAYTIME, "2025-01-01T01:00:00", True),
    (DAYTIME, "2025-01-01T03:59:59", True),
    (DAYTIME, "2025-01-01T04:00:00", False),
    (NIGHT, "2025-01-01T16:29:59", False),
    (NIGHT, "2025-01-01T16:30:00", True),
    (NIGHT, "2025-01-01T23:59:59", True),
    (NIGHT, "2025-01-01T00:29:59", True),
    (NIGHT, "2025-01-01T00:30:00", False),
    (BOTH, "2025-06-09T02:00:00", False),
    (BOTH, "2025-06-11T02:00:00", True),
    (BOTH, "2025-06-11T05:00:00", False),
]


@for_each(("term", "when", "active"), TERMS)
def test_a_period_is_in_force_from_its_day_and_within_its_hours(
    term: EffectivePeriod, when: str, active: bool
) -> None:
    assert term.is_in_force(moment(when)) is active


def test_a_model_survives_its_json() -> None:
    model = Model(
        id="m",
        match=ModelMatcher(any_of=[ModelMatcher(equals="m"), ModelMatcher(regex="^m-")]),
        name="M",
        context_window=1000,
        deprecated=True,
        prices=[
            DatedRates(rates=Rates(input=Decimal("0.10"))),
            DatedRates(start=date(2026, 1, 2), rates=Rates(output=Decimal(3))),
            DatedRates(between=(at(1), at(4, 30)), rates=Rates()),
        ],
        variants=[
            RateVariant(
                when={"service_tier": "flex"},
                rates=Rates(input=Tiered(Decimal(1), [(200, Decimal("1.5"))])),
            )
        ],
    )
    text = msgspec.json.encode(model)
    assert msgspec.json.decode(text, type=Model) == model
    assert text == (
        b'{"id":"m","match":{"or":[{"equals":"m"},{"regex":"^m-"}]},"name":"M",'
        b'"context_window":1000,"deprecated":true,"prices":[{"rates":{"input":"0.10"}},'
        b'{"from":"2026-01-02","rates":{"output":"3"}},'
        b'{"between":["01:00:00Z","04:30:00Z"],"rates":{}}],'
        b'"variants":[{"when":{"service_tier":"flex"},'
        b'"rates":{"input":{"base":"1","above":[[200,"1.5"]]}}}]}'
    )
