"""One price in force, compiled to integers: exact, and fast enough to forget about."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from decimal import Decimal

import msgspec
from msgspec import Struct

from headway.metering.metrics import Cost, PriceOrigin
from headway.metering.price_data import Rate, Rates, Tiered
from headway.types import Usage


class Band(Struct, frozen=True, kw_only=True):
    """Rates for a range of input tokens as whole numbers of the price's smallest unit per token.
    A kind of token without a rate of its own has that of its whole; None is unknown."""

    input: int | None
    output: int | None
    cache_read: int
    cache_write: int
    cache_write_1h: int
    input_audio: int
    cache_audio_read: int
    output_audio: int
    reasoning: int
    flat: tuple[int, int] | None
    """The rates in and out where both are known and all that comes out has the same."""


class Price(Struct, frozen=True, kw_only=True):
    """What a call costs. Made by ``compile_price``."""

    origin: PriceOrigin
    rates: Rates
    """What it was compiled from, dollars per million tokens."""
    thresholds: list[int]
    """Input tokens above which the next band counts."""
    bands: list[Band]
    request: int
    """What a call costs whatever its tokens, in the smallest unit."""
    digits: int
    """The smallest unit is ten to the minus this many dollars."""
    audio: bool
    """Sound has rates of its own."""

    @property
    def source(self) -> str:
        return self.origin.source

    @property
    def date(self) -> str | None:
        return self.origin.date

    @property
    def tiered(self) -> bool:
        return self.origin.tiered

    def charge(self, usage: Usage) -> Cost | None:
        """The cost with the price that it comes from, or None where it cannot be known."""
        usd = self.cost(usage)
        return None if usd is None else Cost(usd, self.origin)

    def cost(self, usage: Usage) -> Decimal | None:
        """US dollars, exact. A part that was not reported (cached, reasoning, audio) counts as its
        whole.

        None where input or output tokens are unknown, where tokens have no rate, and where the
        usage contradicts itself (more cached tokens than input, less than none): a wrong sum is
        worse than none.
        """
        entering, leaving = usage.input_tokens, usage.output_tokens
        if entering is None or leaving is None:
            return None
        thresholds = self.thresholds
        band = self.bands[bisect_left(thresholds, entering) if thresholds else 0]
        flat = band.flat
        units: int | None
        if flat is not None and not (
            usage.cache_read_tokens
            or usage.cache_write_tokens
            or usage.cache_write_1h_tokens
            or (self.audio and usage.input_audio_tokens)
        ):
            units = entering * flat[0] + leaving * flat[1]
        else:
            units = _units_of(band, usage, self.audio)
        if units is None or units < 0:
            return None
        return Decimal(self.request + units).scaleb(-self.digits)


def _units_of(band: Band, usage: Usage, priced_audio: bool) -> int | None:
    entering = _entering(band, usage, usage.input_tokens or 0, priced_audio)
    leaving = _leaving(band, usage, usage.output_tokens or 0)
    return None if entering is None or leaving is None else entering + leaving


def _entering(band: Band, usage: Usage, whole: int, priced_audio: bool) -> int | None:
    """Which cached tokens were sound is not reported: as few as the sums allow, which is the
    dearer reading."""
    read = usage.cache_read_tokens or 0
    long = usage.cache_write_1h_tokens or 0
    write = max(usage.cache_write_tokens or 0, long)
    audio = usage.input_audio_tokens or 0 if priced_audio else 0
    cached_audio = max(0, read + write + audio - whole)
    if read + write > whole or audio > whole or cached_audio > read:
        return None
    if band.input is None:
        return None if whole else 0
    return (
        (whole - read - write - audio + cached_audio) * band.input
        + (read - cached_audio) * band.cache_read
        + (write - long) * band.cache_write
        + long * band.cache_write_1h
        + (audio - cached_audio) * band.input_audio
        + cached_audio * band.cache_audio_read
    )


def _leaving(band: Band, usage: Usage, whole: int) -> int | None:
    """Reasoning is within output: it is billed once, at its own rate where it has one."""
    if band.output is None:
        return None if whole else 0
    reasoning = usage.reasoning_tokens or 0 if band.reasoning != band.output else 0
    audio = usage.output_audio_tokens or 0 if band.output_audio != band.output else 0
    if reasoning + audio > whole:
        return None
    rest = whole - reasoning - audio
    return rest * band.output + reasoning * band.reasoning + audio * band.output_audio


# --- Compiling ----------------------------------------------------------------------------------


def compile_price(rates: Rates, origin: PriceOrigin) -> Price | None:
    """``rates`` as integers; None where neither input nor output tokens have one."""
    if rates.input is None and rates.output is None:
        return None
    amounts = [amount for rate in msgspec.structs.astuple(rates) for amount in _amounts(rate)]
    places = max(_places(amount) for amount in amounts)
    thresholds = sorted(
        {start for rate in msgspec.structs.astuple(rates) for start in _starts(rate)}
    )
    return Price(
        origin=msgspec.structs.replace(origin, tiered=bool(thresholds)),
        rates=rates,
        thresholds=thresholds,
        bands=[_band(rates, above, places) for above in [-1, *thresholds]],
        request=_units(_at(rates.requests, -1), places + 3) or 0,
        digits=places + 6,
        audio=rates.input_audio is not None,
    )


def _band(rates: Rates, above: int, places: int) -> Band:
    def units(rate: Rate | None) -> int | None:
        return _units(_at(rate, above), places)

    into, out = units(rates.input), units(rates.output)
    read = _first(units(rates.cache_read), into)
    write = _first(units(rates.cache_write), into)
    audio = _first(units(rates.input_audio), into)
    spoken, thought = _first(units(rates.output_audio), out), _first(units(rates.reasoning), out)
    return Band(
        input=into,
        output=out,
        cache_read=read,
        cache_write=write,
        cache_write_1h=_first(units(rates.cache_write_1h), write),
        input_audio=audio,
        cache_audio_read=_first(units(rates.cache_audio_read), read),
        output_audio=spoken,
        reasoning=thought,
        flat=None if into is None or out is None or not spoken == out == thought else (into, out),
    )


def _first(rate: int | None, whole: int | None) -> int:
    """The part's own rate, else the whole's; where neither is known zero stands, never used."""
    return rate if rate is not None else whole or 0


def _at(rate: Rate | None, above: int) -> Decimal | None:
    """The rate for requests of more than ``above`` input tokens."""
    if not isinstance(rate, Tiered):
        return rate
    return next((amount for start, amount in reversed(rate.above) if start <= above), rate.base)


def _units(amount: Decimal | None, places: int) -> int | None:
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
