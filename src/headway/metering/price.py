"""One price, compiled to integers, and the exact cost that it gives for a usage."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TypeVar

import msgspec
from msgspec import Struct

from headway.metering.line_items import (
    AUDIO,
    AUDIO_PLACES,
    EXACT,
    LineItem,
    LineItems,
    plain,
    round_amount,
    unit_text,
)
from headway.metering.metrics import Cost, PriceOrigin
from headway.metering.price_data import Medium, OneRate, Rate, Rates, Tiered
from headway.types import Usage

T = TypeVar("T")
CONTRADICTORY = "the reported tokens contradict each other"
NOT_TOKENS = frozenset(
    {"requests", "web_searches", "file_searches", "audio_hours", "characters", "search_units"}
)
"""Rates of other things than tokens."""
HOUR, THOUSAND, MILLION = Decimal(3600), Decimal(10**3), Decimal(10**6)
Line = tuple[str, int, int]
"""Kind, quantity, and price in the smallest unit."""


class UnknownCostError(Exception):
    """The cost cannot be computed; the message says why."""


class MediumRates(Struct, frozen=True):
    """Rates of the tokens of one medium. None is unknown."""

    medium: Medium
    input: int | None
    cached: int | None
    output: int | None
    is_text_input: bool
    """Input tokens of this medium cost what text costs."""
    is_text_output: bool


class TierRates(Struct, frozen=True, kw_only=True):
    """Rates per token for one range of input tokens, as integers of the price's smallest unit.
    Cached and reasoning tokens without their own rate have the rate of the input or output, but not
    those that are cached for an hour where caching costs extra. None is unknown."""

    input: int | None
    output: int | None
    cache_read: int
    cache_write: int
    cache_write_1h: int | None
    reasoning: int
    citations: int | None
    media: tuple[MediumRates, ...]
    simple: tuple[int, int] | None
    """Input and output rate, where both are known and reasoning has no other rate."""
    simple_texts: tuple[str, str]
    """These rates in US dollars."""


class UnitRates(Struct, frozen=True):
    """Rates of what is billed by other units than tokens, in US dollars. None is unknown."""

    audio_second: Decimal | None
    character: Decimal | None
    search_unit: Decimal | None


class Price(Struct, frozen=True, kw_only=True):
    """The price of a model. Created by ``compile_price``."""

    origin: PriceOrigin
    rates: Rates
    """The source rates, in US dollars per million tokens."""
    thresholds: list[int]
    """Numbers of input tokens above which the next tier applies, ascending."""
    tiers: list[TierRates]
    request: int
    """Fixed cost of a request, in the smallest unit."""
    web_search: int | None
    """Cost of one search, in the smallest unit. None is unknown."""
    file_search: int | None
    by_unit: UnitRates | None
    """None: only tokens are billed, and searches."""
    has_tokens: bool
    """Tokens have rates."""
    digits: int
    """The smallest unit is 10**-digits US dollars."""
    unit: Decimal
    """This amount."""

    @property
    def source(self) -> str:
        return self.origin.source

    @property
    def date(self) -> str | None:
        return self.origin.date

    @property
    def tiered(self) -> bool:
        return self.origin.tiered

    def charge(self, usage: Usage) -> Cost:
        """The cost with its lines and the origin of its price. Cached and reasoning tokens that are
        not reported are billed as input and output. What there is none of has no line, what is free
        has one.

        Raises UnknownCostError where input or output tokens are unknown, where something has no
        rate, and where the usage contradicts itself (more cached than input tokens, a negative
        number).
        """
        if self.by_unit is not None:
            billed = self._charge_units(self.by_unit, usage)
            if billed is not None:
                return billed
        input_tokens, output_tokens = usage.input_tokens, usage.output_tokens
        if input_tokens is None or output_tokens is None:
            missing = "input" if input_tokens is None else "output"
            raise UnknownCostError(f"the number of {missing} tokens is unknown")
        thresholds = self.thresholds
        rates = self.tiers[bisect_left(thresholds, input_tokens) if thresholds else 0]
        items: LineItems
        if input_tokens > 0 < output_tokens and rates.simple and not _has_parts(usage):  # mostly
            (into, out), (into_text, out_text) = rates.simple, rates.simple_texts
            units = input_tokens * into + output_tokens * out
            first = LineItem("input", str(input_tokens), into_text)
            items = (first, LineItem("output", str(output_tokens), out_text))
        else:
            lines = self._lines(rates, usage)
            units = sum(quantity * rate for _, quantity, rate in lines)
            items = self._items(lines)
        if self.request:
            units, items = units + self.request, (*items, self._request_item())
        return Cost(units * self.unit, self.origin, items)

    def cost(self, usage: Usage) -> Decimal | None:
        """The exact cost in US dollars, or None where it is unknown."""
        try:
            return self.charge(usage).usd
        except UnknownCostError:
            return None

    def _charge_units(self, rates: UnitRates, usage: Usage) -> Cost | None:
        """The cost of what is billed by other units; None where it is billed by tokens."""
        if self.has_tokens and usage.audio_seconds is None:
            return None
        if self.has_tokens:
            raise UnknownCostError(f"{self.origin.model} is billed by tokens and by hours of audio")
        usd = self.request * self.unit
        if rates.audio_second is not None:
            seconds = _known("seconds of audio", usage.audio_seconds)
            usd += round_amount(EXACT.multiply(seconds, rates.audio_second))
        if rates.character is not None:
            characters = Decimal(_known("characters", usage.input_characters))
            usd += characters * rates.character
        if rates.search_unit is not None:
            usd += _known("search units", usage.search_units) * rates.search_unit
        request = (self._request_item(),) if self.request else ()
        return Cost(usd, self.origin, (*self._unit_items(rates, usage), *request))

    def _unit_items(self, rates: UnitRates, usage: Usage) -> Iterator[LineItem]:
        if rates.audio_second is not None and usage.audio_seconds:
            yield LineItem(AUDIO, plain(usage.audio_seconds), plain(rates.audio_second))
        if rates.character is not None and usage.input_characters:
            yield LineItem("characters", str(usage.input_characters), plain(rates.character))
        if rates.search_unit is not None and usage.search_units:
            yield LineItem("search_units", str(usage.search_units), plain(rates.search_unit))

    def _items(self, lines: Iterable[Line]) -> LineItems:
        digits = self.digits
        return tuple(
            LineItem(kind, str(quantity), unit_text(rate, digits))
            for kind, quantity, rate in lines
            if quantity
        )

    def _request_item(self) -> LineItem:
        return LineItem("request", "1", unit_text(self.request, self.digits))

    def _lines(self, rates: TierRates, usage: Usage) -> list[Line]:
        """What is billed by tokens and searches. Raises UnknownCostError."""
        try:
            lines = [
                *_input_lines(rates, usage),
                *_output_lines(rates, usage),
                _line("citations", "citation tokens", usage.citation_tokens, rates.citations),
                _line("web_search", "web searches", usage.web_searches, self.web_search),
                _line("file_search", "file searches", usage.file_searches, self.file_search),
            ]
        except _MissingRateError as missing:
            raise UnknownCostError(f"no price for {missing} of {self.origin.model}") from None
        if any(quantity < 0 for _, quantity, _ in lines):
            raise UnknownCostError(CONTRADICTORY)
        return lines


class _MissingRateError(Exception):
    """There is no rate for what the message names."""


def _known(what: str, number: T | None) -> T:
    if number is None:
        raise UnknownCostError(f"the number of {what} is unknown")
    return number


def _has_parts(usage: Usage) -> bool:
    """Something is billed at other rates than those of the input and output. (Reasoning is not: it
    has the output's rate wherever this is called.)"""
    return bool(
        usage.cache_read_tokens
        or usage.cache_write_tokens
        or usage.cache_write_1h_tokens
        or usage.input_audio_tokens
        or usage.input_image_tokens
        or usage.input_video_tokens
        or usage.output_audio_tokens
        or usage.output_image_tokens
        or usage.output_video_tokens
        or usage.citation_tokens
        or usage.web_searches
        or usage.file_searches
    )


def _line(kind: str, what: str, number: int | None, rate: int | None) -> Line:
    """Raises _MissingRateError where there is something to bill and no rate."""
    if not number:
        return kind, 0, 0
    if rate is None:
        raise _MissingRateError(what)
    return kind, number, rate


def _input_lines(rates: TierRates, usage: Usage) -> list[Line]:
    whole, read = usage.input_tokens or 0, usage.cache_read_tokens or 0
    long = usage.cache_write_1h_tokens or 0
    write = max(usage.cache_write_tokens or 0, long)
    fresh_text, read_text = whole - read - write, read
    lines: list[Line] = []
    for of_medium, fresh, cached in _media_in_input(rates, usage, fresh_text):
        medium = of_medium.medium
        lines += (
            _line(f"input_{medium}", f"input {medium} tokens", fresh, of_medium.input),
            _line(f"cache_read_{medium}", f"cached {medium} tokens", cached, of_medium.cached),
        )
        fresh_text -= fresh
        read_text -= cached
    if fresh_text < 0 or read_text < 0:
        raise UnknownCostError(CONTRADICTORY)
    if rates.input is None:
        return [_line("input", "input tokens", whole, None)]
    return [
        ("input", fresh_text, rates.input),
        ("cache_read", read_text, rates.cache_read),
        ("cache_write", write - long, rates.cache_write),
        _line("cache_write_1h", "tokens cached for an hour", long, rates.cache_write_1h),
        *lines,
    ]


def _media_in_input(
    rates: TierRates, usage: Usage, fresh: int
) -> Iterator[tuple[MediumRates, int, int]]:
    """(rates, tokens, cached tokens) of the media that have other rates than text; ``fresh`` is the
    number of all tokens outside the cache. Where it is unknown how many of a medium's tokens were
    read from the cache, the smallest possible number is assumed, which gives the higher cost."""
    counts = _input_counts(usage)
    found = [
        (of_medium, count)
        for of_medium, count in zip(rates.media, counts, strict=True)
        if count[0] and not of_medium.is_text_input
    ]
    excess = sum(tokens - (cached or 0) for _, (tokens, cached) in found) - fresh
    for of_medium, (tokens, cached) in found:
        if cached is None:
            cached = min(tokens, max(0, excess))
            excess -= cached
        if cached > tokens:
            raise UnknownCostError(CONTRADICTORY)
        yield of_medium, tokens - cached, cached


def _input_counts(usage: Usage) -> tuple[tuple[int, int | None], ...]:
    """Tokens, and cached tokens, of each medium in the order of ``MEDIA``."""
    return (
        (usage.input_audio_tokens or 0, usage.cache_read_audio_tokens),
        (usage.input_image_tokens or 0, usage.cache_read_image_tokens),
        (usage.input_video_tokens or 0, None),
    )


def _output_lines(rates: TierRates, usage: Usage) -> list[Line]:
    """Reasoning tokens are part of the output and billed once, at their own rate if they have
    one."""
    whole = usage.output_tokens or 0
    if rates.output is None:
        return [_line("output", "output tokens", whole, None)]
    text, lines = whole, list[Line]()
    if rates.reasoning != rates.output:
        reasoning = usage.reasoning_tokens or 0
        text -= reasoning
        lines.append(("reasoning", reasoning, rates.reasoning))
    counts = (usage.output_audio_tokens, usage.output_image_tokens, usage.output_video_tokens)
    for of_medium, tokens in zip(rates.media, counts, strict=True):
        if tokens and not of_medium.is_text_output:
            medium = of_medium.medium
            text -= tokens
            lines.append(
                _line(f"output_{medium}", f"output {medium} tokens", tokens, of_medium.output)
            )
    if text < 0:
        raise UnknownCostError(CONTRADICTORY)
    return [("output", text, rates.output), *lines]


# --- Compiling ----------------------------------------------------------------------------------

TEXT_ONLY = OneRate()


def compile_price(
    rates: Rates,
    origin: PriceOrigin,
    one_rate: OneRate = TEXT_ONLY,
    factor: Decimal = Decimal(1),
) -> Price | None:
    """Compile ``rates``, those of tokens times ``factor``, to integers; None where nothing that
    every call has is priced: tokens, time, characters or the request itself."""
    has_tokens = rates.input is not None or rates.output is not None
    by_unit = _unit_rates(rates)
    if not has_tokens and by_unit is None:
        return None
    if factor != 1:
        rates = _scaled(rates, factor)
    amounts = [amount for rate in msgspec.structs.astuple(rates) for amount in _amounts(rate)]
    places = max(_places(amount) for amount in amounts)
    thresholds = find_thresholds(rates)
    return Price(
        origin=msgspec.structs.replace(origin, tiered=bool(thresholds)),
        rates=rates,
        thresholds=thresholds,
        tiers=[_tier_rates(rates, one_rate, above, places) for above in [-1, *thresholds]],
        request=_in_units(rate_above(rates.requests, -1), places + 3) or 0,
        web_search=_in_units(rate_above(rates.web_searches, -1), places + 3),
        file_search=_in_units(rate_above(rates.file_searches, -1), places + 3),
        by_unit=by_unit,
        has_tokens=has_tokens,
        digits=places + 6,
        unit=Decimal(1).scaleb(-places - 6),
    )


def _unit_rates(rates: Rates) -> UnitRates | None:
    hour, characters = rate_above(rates.audio_hours, -1), rate_above(rates.characters, -1)
    search_units = rate_above(rates.search_units, -1)
    is_by_request = rates.requests is not None and rates == Rates(requests=rates.requests)
    if hour is None and characters is None and search_units is None and not is_by_request:
        return None
    return UnitRates(
        None if hour is None else (hour / HOUR).quantize(AUDIO_PLACES, context=EXACT),
        None if characters is None else characters / MILLION,
        None if search_units is None else search_units / THOUSAND,
    )


def _scaled(rates: Rates, factor: Decimal) -> Rates:
    scaled: dict[str, Rate] = {}
    for name, rate in msgspec.structs.asdict(rates).items():
        if rate is None or name in NOT_TOKENS:
            continue
        if isinstance(rate, Tiered):
            above = [(start, amount * factor) for start, amount in rate.above]
            scaled[name] = Tiered(rate.base * factor, above)
        else:
            scaled[name] = rate * factor
    return msgspec.structs.replace(rates, **scaled)


def _tier_rates(rates: Rates, one_rate: OneRate, above: int, places: int) -> TierRates:
    def units(rate: Rate | None) -> int | None:
        return _in_units(rate_above(rate, above), places)

    into, out = units(rates.input), units(rates.output)
    read = _rate_or_whole(units(rates.cache_read), into)
    write = _rate_or_whole(units(rates.cache_write), into)
    reasoning = _rate_or_whole(units(rates.reasoning), out)
    simple = (into, out) if into is not None and out is not None and reasoning == out else None
    own_rates: tuple[tuple[Medium, Rate | None, Rate | None, Rate | None], ...] = (
        ("audio", rates.input_audio, rates.cache_audio_read, rates.output_audio),
        ("image", rates.input_image, rates.cache_image_read, rates.output_image),
        ("video", rates.input_video, None, rates.output_video),
    )
    return TierRates(
        input=into,
        output=out,
        cache_read=read,
        cache_write=write,
        # where writing has a rate of its own, writing for longer has another one
        cache_write_1h=units(rates.cache_write_1h)
        if rates.cache_write_1h or rates.cache_write
        else write,
        reasoning=reasoning,
        citations=units(rates.citations),
        media=tuple(
            _medium_rates(medium, one_rate, (units(own), units(cached), units(output)))
            for medium, own, cached, output in own_rates
        ),
        simple=simple,
        simple_texts=(unit_text(into or 0, places + 6), unit_text(out or 0, places + 6)),
    )


def _medium_rates(
    medium: Medium, one_rate: OneRate, own: tuple[int | None, int | None, int | None]
) -> MediumRates:
    """``own`` are the medium's own rates: input, cached input, output."""
    into, cached, out = own
    is_text_input = into is None and cached is None and medium in one_rate.input
    is_text_output = out is None and medium in one_rate.output
    return MediumRates(medium, into, cached, out, is_text_input, is_text_output)


def _rate_or_whole(rate: int | None, whole: int | None) -> int:
    """The rate of a part, or else of the input or output; 0 where both are unknown, which is never
    used."""
    return rate if rate is not None else whole or 0


def find_thresholds(rates: Rates) -> list[int]:
    """The numbers of input tokens above which a rate changes, ascending."""
    return sorted({start for rate in msgspec.structs.astuple(rates) for start in _starts(rate)})


def rate_above(rate: Rate | None, above: int) -> Decimal | None:
    """The rate of requests with more than ``above`` input tokens."""
    if not isinstance(rate, Tiered):
        return rate
    return next((amount for start, amount in reversed(rate.above) if start <= above), rate.base)


def _in_units(amount: Decimal | None, places: int) -> int | None:
    return None if amount is None else int(amount.scaleb(places))


def _amounts(rate: Rate | None) -> Iterator[Decimal]:
    if isinstance(rate, Tiered):
        yield rate.base
        yield from (amount for _, amount in rate.above)
    elif rate is not None:
        yield rate


def _starts(rate: Rate | None) -> Iterator[int]:
    if isinstance(rate, Tiered):
        yield from (start for start, _ in rate.above)


def _places(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
