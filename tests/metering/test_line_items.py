"""The lines of a bill add up to the cost, to the last digit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.metering.line_items import LineItem, amount_of
from headway.metering.metrics import PriceOrigin
from headway.metering.price import Price, UnknownCostError, compile_price
from headway.metering.price_data import OneRate, Rates, Tiered
from headway.types import Usage
from support.for_each import for_each

ORIGIN = PriceOrigin("test", "2026-01-01", "m")
RATES = st.decimals("0", "200", places=4, allow_nan=False, allow_infinity=False)
TIERED = st.builds(
    lambda base, above: Tiered(base, [(100, above)]),
    RATES,
    RATES,
)
NO_TOKENS = {"audio_hours", "characters", "requests", "web_searches", "file_searches"}
COUNTS = {
    name: st.none() | st.integers(0, 300)
    for name in Usage.__struct_fields__
    if name.endswith(("_tokens", "_searches"))
}


def compiled(rates: Rates) -> Price:
    price = compile_price(rates, ORIGIN, OneRate(input=["image"]))
    assert price is not None
    return price


@st.composite
def token_prices(draw: st.DrawFn) -> Price:
    found = {
        name: draw(st.none() | (RATES if name in NO_TOKENS else RATES | TIERED))
        for name in Rates.__struct_fields__
        if name not in ("audio_hours", "characters")
    }
    return compiled(Rates(**{**found, "input": draw(RATES | TIERED), "output": draw(RATES)}))


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    into, out = draw(st.integers(0, 400)), draw(st.integers(0, 400))
    parts = draw(st.fixed_dictionaries({}, optional=COUNTS))
    return Usage(**{**parts, "input_tokens": into, "output_tokens": out})


@given(token_prices(), usages())
def test_the_lines_of_tokens_add_up_to_the_cost(price: Price, usage: Usage) -> None:
    try:
        cost = price.charge(usage)
    except UnknownCostError:
        return
    assert amount_of(cost.items) == cost.usd


@given(RATES, st.decimals("0", "100000", places=3, allow_nan=False, allow_infinity=False))
def test_the_lines_of_seconds_add_up_to_the_cost(rate: Decimal, seconds: Decimal) -> None:
    price = compiled(Rates(audio_hours=rate, requests=Decimal(3)))
    usage = Usage(audio_seconds=seconds)
    cost = price.charge(usage)
    assert amount_of(cost.items) == cost.usd


@given(RATES, st.integers(0, 10**7))
def test_the_lines_of_characters_add_up_to_the_cost(rate: Decimal, characters: int) -> None:
    price = compiled(Rates(characters=rate))
    usage = Usage(input_characters=characters)
    cost = price.charge(usage)
    assert amount_of(cost.items) == cost.usd


def test_an_hour_of_audio_costs_its_rate_although_a_second_has_no_exact_price() -> None:
    price = compiled(Rates(audio_hours=Decimal("0.111")))
    (line,) = price.charge(Usage(audio_seconds=Decimal(3600))).items
    assert line == LineItem("audio_seconds", "3600", "0.000030833333333333333333")
    assert amount_of([line]) == Decimal("0.111")


FULL = compiled(
    Rates(
        input=Decimal(10), cache_read=Decimal(1), cache_write=Decimal("12.5"),
        cache_write_1h=Decimal(20), input_audio=Decimal(40), cache_audio_read=Decimal(4),
        input_video=Decimal(30), output=Decimal(50), output_audio=Decimal(80),
        output_image=Decimal(90), reasoning=Decimal(60), citations=Decimal(2),
        requests=Decimal(5), web_searches=Decimal(10), file_searches=Decimal("2.5"),
    )
)  # fmt: skip
ALL = Usage(
    input_tokens=100, output_tokens=60, cache_read_tokens=20, cache_write_tokens=11,
    cache_write_1h_tokens=4, reasoning_tokens=7, input_audio_tokens=9, input_image_tokens=5,
    input_video_tokens=3, cache_read_audio_tokens=2, output_audio_tokens=6, output_image_tokens=8,
    citation_tokens=13, web_searches=2, file_searches=1,
)  # fmt: skip
FREE = compiled(Rates(input=Decimal(0), output=Decimal(0)))
# price, usage, lines
LINES: list[tuple[Price, Usage, list[tuple[str, str, str]]]] = [
    (
        FULL,
        ALL,
        [
            ("input", "59", "0.00001"),  # 100 - 20 - 11 - 7 of audio - 3 of video
            ("cache_read", "18", "0.000001"),
            ("cache_write", "7", "0.0000125"),
            ("cache_write_1h", "4", "0.00002"),
            ("input_audio", "7", "0.00004"),
            ("cache_read_audio", "2", "0.000004"),
            ("input_video", "3", "0.00003"),
            ("output", "39", "0.00005"),  # 60 - 7 of reasoning - 6 of audio - 8 of images
            ("reasoning", "7", "0.00006"),
            ("output_audio", "6", "0.00008"),
            ("output_image", "8", "0.00009"),
            ("citations", "13", "0.000002"),
            ("web_search", "2", "0.01"),
            ("file_search", "1", "0.0025"),
            ("request", "1", "0.005"),
        ],
    ),
    (FREE, Usage(input_tokens=7, output_tokens=3), [("input", "7", "0"), ("output", "3", "0")]),
    (FREE, Usage(input_tokens=7, output_tokens=0), [("input", "7", "0")]),
    (FREE, Usage(input_tokens=0, output_tokens=0), []),
    (
        compiled(Rates(requests=Decimal(12))),
        Usage(),
        [("request", "1", "0.012")],
    ),
    (
        compiled(Rates(characters=Decimal(15))),
        Usage(input_characters=200),
        [("characters", "200", "0.000015")],
    ),
    (
        compiled(Rates(input=Decimal(1), output=Decimal(1), characters=Decimal(15))),
        Usage(input_tokens=2, output_tokens=1),
        [("input", "2", "0.000001"), ("output", "1", "0.000001")],
    ),
]


@for_each("price, usage, lines", LINES)
def test_each_part_has_a_line_with_its_own_price(
    price: Price, usage: Usage, lines: list[tuple[str, str, str]]
) -> None:
    cost = price.charge(usage)
    assert [(line.kind, line.quantity, line.unit_price_usd) for line in cost.items] == lines
    assert amount_of(cost.items) == cost.usd


NEGATIVE = [
    Usage(input_tokens=5, output_tokens=1, cache_read_tokens=-1),
    Usage(input_tokens=5, output_tokens=1, citation_tokens=-1),
    Usage(input_tokens=5, output_tokens=1, web_searches=-1),
]


@for_each("usage", NEGATIVE)
def test_a_negative_quantity_has_no_cost(usage: Usage) -> None:
    with pytest.raises(UnknownCostError, match="contradict"):
        FULL.charge(usage)
