from __future__ import annotations

from decimal import Decimal

import pytest

from headway.metering.metrics import Cost, PriceOrigin
from headway.metering.price import CONTRADICTORY, TEXT_ONLY, Price, UnknownCostError, compile_price
from headway.metering.price_data import OneRate, Rates, Tiered
from headway.types import Usage
from support.for_each import for_each

ORIGIN = PriceOrigin("test", "2026-01-01", "m")
MILLION = 1_000_000


def price(one_rate: OneRate = TEXT_ONLY, factor: str = "1", **rates: str | int | Tiered) -> Price:
    exact = {
        name: rate if isinstance(rate, Tiered) else Decimal(rate) for name, rate in rates.items()
    }
    compiled = compile_price(Rates(**exact), ORIGIN, one_rate, Decimal(factor))
    assert compiled is not None
    return compiled


def test_rates_without_input_and_output_make_no_price() -> None:
    assert compile_price(Rates(cache_read=Decimal(1), requests=Decimal(1)), ORIGIN) is None


FLAT = price(input=1, output=10)
CACHED = price(input=10, cache_read=1, cache_write=12, cache_write_1h=20, output=50)
AUDIO = price(
    input=10, cache_read=1, input_audio=40, cache_audio_read=4, output=50, output_audio=80
)
REASONING = price(input=2, output=8, reasoning=3)
TIERED = price(
    input=Tiered(Decimal(1), [(100, Decimal(2)), (200, Decimal(3))]),
    cache_read=Tiered(Decimal("0.1"), [(200, Decimal("0.3"))]),
    output=Decimal(10),
)
BY_REQUEST = price(input=1, output=1, requests=12)
INPUT_ONLY = price(input="0.13")
OUTPUT_ONLY = price(output=5)
MEDIA = price(
    input=10, cache_read=1, input_audio=40, input_image=20, cache_image_read=2, input_video=30,
    output=50, output_image=90, output_video=70,
)  # fmt: skip
ONE = price(one_rate=OneRate(input=["audio", "image"], output=["audio"]), input=1, output=10)
SEARCHING = price(input=1, output=1, citations=2, web_searches=10, file_searches="2.5")
RAISED = price(
    factor="1.1",
    input=Tiered(Decimal(10), [(100, Decimal(20))]),
    cache_read=1,
    output=50,
    web_searches=10,
)

# price, usage, dollars times a million
COSTS: list[tuple[Price, Usage, str]] = [
    (FLAT, Usage(input_tokens=0, output_tokens=0), "0"),
    (FLAT, Usage(input_tokens=7, output_tokens=3), "37"),
    (FLAT, Usage(input_tokens=7, output_tokens=3, cache_read_tokens=5), "37"),
    (FLAT, Usage(input_tokens=7, output_tokens=3, cache_write_tokens=5), "37"),
    (FLAT, Usage(input_tokens=7, output_tokens=3, cache_write_1h_tokens=5), "37"),
    (FLAT, Usage(input_tokens=7, output_tokens=3, reasoning_tokens=2), "37"),
    (CACHED, Usage(input_tokens=10, output_tokens=1), "150"),
    (CACHED, Usage(input_tokens=10, output_tokens=1, cache_read_tokens=4), "114"),
    (CACHED, Usage(input_tokens=10, output_tokens=1, cache_read_tokens=10), "60"),
    (CACHED, Usage(input_tokens=10, output_tokens=1, cache_write_tokens=4), "158"),
    (
        CACHED,
        Usage(input_tokens=10, output_tokens=1, cache_write_tokens=4, cache_write_1h_tokens=3),
        "182",
    ),
    (CACHED, Usage(input_tokens=10, output_tokens=1, cache_write_1h_tokens=3), "180"),
    (
        CACHED,
        Usage(input_tokens=10, output_tokens=0, cache_read_tokens=6, cache_write_tokens=4),
        "54",
    ),
    (AUDIO, Usage(input_tokens=10, output_tokens=4, input_audio_tokens=3), "390"),
    (AUDIO, Usage(input_tokens=10, output_tokens=4, output_audio_tokens=3), "390"),
    # Seven cached and five of sound in ten: two of the cached were sound, at the least.
    (
        AUDIO,
        Usage(input_tokens=10, output_tokens=0, input_audio_tokens=5, cache_read_tokens=7),
        "133",
    ),
    (
        AUDIO,
        Usage(input_tokens=10, output_tokens=0, input_audio_tokens=5, cache_read_tokens=5),
        "205",
    ),
    (REASONING, Usage(input_tokens=1, output_tokens=10, reasoning_tokens=6), "52"),
    (REASONING, Usage(input_tokens=1, output_tokens=10), "82"),
    (TIERED, Usage(input_tokens=100, output_tokens=1), "110"),
    (TIERED, Usage(input_tokens=101, output_tokens=1), "212"),
    (TIERED, Usage(input_tokens=200, output_tokens=1), "410"),
    (TIERED, Usage(input_tokens=201, output_tokens=1), "613"),
    (TIERED, Usage(input_tokens=200, output_tokens=0, cache_read_tokens=100), "210"),
    (TIERED, Usage(input_tokens=300, output_tokens=0, cache_read_tokens=100), "630"),
    (BY_REQUEST, Usage(input_tokens=5, output_tokens=5), "12010"),
    (INPUT_ONLY, Usage(input_tokens=100, output_tokens=0), "13"),
    (OUTPUT_ONLY, Usage(input_tokens=0, output_tokens=2), "10"),
    (MEDIA, Usage(input_tokens=10, output_tokens=4, input_image_tokens=3), "330"),
    (MEDIA, Usage(input_tokens=10, output_tokens=4, input_video_tokens=3), "360"),
    (MEDIA, Usage(input_tokens=10, output_tokens=4, output_image_tokens=4), "460"),
    (MEDIA, Usage(input_tokens=10, output_tokens=4, output_video_tokens=1), "320"),
    (
        MEDIA,
        Usage(
            input_tokens=10,
            output_tokens=0,
            input_image_tokens=6,
            cache_read_image_tokens=4,
            cache_read_tokens=5,
            input_audio_tokens=1,
            cache_read_audio_tokens=0,
        ),
        "109",  # 4 * 2, 2 * 20, 1 * 40, 1 * 1, 2 * 10
    ),
    (ONE, Usage(input_tokens=7, output_tokens=3, input_audio_tokens=7), "37"),
    (ONE, Usage(input_tokens=7, output_tokens=3, input_image_tokens=7), "37"),
    (ONE, Usage(input_tokens=7, output_tokens=3, output_audio_tokens=3), "37"),
    (SEARCHING, Usage(input_tokens=0, output_tokens=0, web_searches=2, file_searches=1), "22500"),
    (SEARCHING, Usage(input_tokens=1, output_tokens=1, citation_tokens=3), "8"),
    (RAISED, Usage(input_tokens=100, output_tokens=10), "1650"),
    (RAISED, Usage(input_tokens=101, output_tokens=0, cache_read_tokens=1), "2201.1"),
    (RAISED, Usage(input_tokens=0, output_tokens=0, web_searches=1), "10000"),
]


@for_each(("price", "usage", "micros"), COSTS)
def test_a_cost_is_exact(price: Price, usage: Usage, micros: str) -> None:
    assert price.cost(usage) == Decimal(micros) / MILLION


HOURLESS = price(input=1, cache_write="1.25", output=5)
NO_INPUT = "the number of input tokens is unknown"
UNKNOWN = [
    (FLAT, Usage(), NO_INPUT),
    (FLAT, Usage(input_tokens=1), "the number of output tokens is unknown"),
    (FLAT, Usage(output_tokens=1), NO_INPUT),
    (FLAT, Usage(input_tokens=-5, output_tokens=1), CONTRADICTORY),
    (FLAT, Usage(input_tokens=5, output_tokens=1, cache_read_tokens=6), CONTRADICTORY),
    (
        FLAT,
        Usage(input_tokens=5, output_tokens=1, cache_read_tokens=3, cache_write_tokens=3),
        CONTRADICTORY,
    ),
    (CACHED, Usage(input_tokens=5, output_tokens=1, cache_write_1h_tokens=6), CONTRADICTORY),
    (AUDIO, Usage(input_tokens=5, output_tokens=1, input_audio_tokens=6), CONTRADICTORY),
    (AUDIO, Usage(input_tokens=5, output_tokens=1, output_audio_tokens=2), CONTRADICTORY),
    (
        AUDIO,
        Usage(input_tokens=5, output_tokens=0, input_audio_tokens=3, cache_write_tokens=4),
        CONTRADICTORY,
    ),
    (
        AUDIO,
        Usage(
            input_tokens=5, output_tokens=0, input_audio_tokens=3, cache_read_tokens=5,
            cache_read_audio_tokens=4,
        ),
        CONTRADICTORY,
    ),
    (REASONING, Usage(input_tokens=5, output_tokens=1, reasoning_tokens=2), CONTRADICTORY),
    (
        HOURLESS,
        Usage(input_tokens=5, output_tokens=1, cache_write_tokens=3, cache_write_1h_tokens=1),
        "no price for tokens cached for an hour of m",
    ),
    (INPUT_ONLY, Usage(input_tokens=5, output_tokens=1), "no price for output tokens of m"),
    (OUTPUT_ONLY, Usage(input_tokens=5, output_tokens=1), "no price for input tokens of m"),
    (
        FLAT,
        Usage(input_tokens=7, output_tokens=3, input_audio_tokens=7),
        "no price for input audio tokens of m",
    ),
    (
        FLAT,
        Usage(input_tokens=7, output_tokens=3, output_image_tokens=3),
        "no price for output image tokens of m",
    ),
    (
        MEDIA,
        Usage(
            input_tokens=5, output_tokens=0, input_audio_tokens=3, cache_read_tokens=2,
            cache_read_audio_tokens=2,
        ),
        "no price for cached audio tokens of m",
    ),
    (
        MEDIA,
        Usage(input_tokens=5, output_tokens=0, input_video_tokens=4, cache_read_tokens=3),
        "no price for cached video tokens of m",
    ),
    (
        FLAT,
        Usage(input_tokens=7, output_tokens=3, web_searches=1),
        "no price for web searches of m",
    ),
    (
        FLAT,
        Usage(input_tokens=7, output_tokens=3, file_searches=1),
        "no price for file searches of m",
    ),
    (
        FLAT,
        Usage(input_tokens=7, output_tokens=3, citation_tokens=1),
        "no price for citation tokens of m",
    ),
]  # fmt: skip


@for_each(("price", "usage", "reason"), UNKNOWN)
def test_a_cost_that_cannot_be_known_has_its_reason(
    price: Price, usage: Usage, reason: str
) -> None:
    assert price.cost(usage) is None
    with pytest.raises(UnknownCostError, match=f"^{reason}$"):
        price.charge(usage)


def test_a_charge_names_its_price() -> None:
    usage = Usage(input_tokens=101, output_tokens=1)
    origin = PriceOrigin("test", "2026-01-01", "m", tiered=True)
    cost = TIERED.charge(usage)
    assert cost == Cost(Decimal("0.000212"), origin, cost.items)
    assert (TIERED.source, TIERED.date, TIERED.tiered) == ("test", "2026-01-01", True)
    assert FLAT.tiered is False


def test_tiny_and_huge_numbers_stay_exact() -> None:
    odd = price(input="0.0000001", output="123456.789")
    usage = Usage(input_tokens=3, output_tokens=10**9)
    assert odd.cost(usage) == Decimal("123456789.0000000000003")
    assert price(input="1E+2", output="0").cost(Usage(input_tokens=1, output_tokens=1)) == Decimal(
        "0.0001"
    )


def test_what_is_billed_by_time_by_characters_or_by_the_call_needs_no_tokens() -> None:
    hours, letters = price(audio_hours="0.36"), price(characters=15)
    tokens_too = price(input=1, output=2, audio_hours="0.36")
    for one, usage, dollars in (
        (hours, Usage(audio_seconds=Decimal("9.5")), "0.00095"),
        (hours, Usage(audio_seconds=Decimal(0)), "0"),
        (price(audio_hours="0.111"), Usage(audio_seconds=Decimal(10)), "0.000308333333"),
        (letters, Usage(input_characters=5), "0.000075"),
        (price(requests=0), Usage(), "0"),
        (price(audio_hours=1, requests=2), Usage(audio_seconds=Decimal(3600)), "1.002"),
        (tokens_too, Usage(input_tokens=7, output_tokens=1), "0.000009"),
    ):
        assert one.cost(usage) == Decimal(dollars), usage
    for one, usage, reason in (
        (
            hours,
            Usage(input_tokens=1, output_tokens=1),
            "the number of seconds of audio is unknown",
        ),
        (letters, Usage(), "the number of characters is unknown"),
        (
            tokens_too,
            Usage(audio_seconds=Decimal(1)),
            "m is billed by tokens and by hours of audio",
        ),
    ):
        with pytest.raises(UnknownCostError, match=reason):
            one.charge(usage)
