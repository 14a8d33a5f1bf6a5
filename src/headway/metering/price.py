"""One price, compiled to integers, and the exact cost that it gives for a usage."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from decimal import Decimal

import msgspec
from msgspec import Struct

from headway.metering.metrics import Cost, PriceOrigin
from headway.metering.price_data import Rate, Rates, Tiered
from headway.types import Usage


class TierRates(Struct, frozen=True, kw_only=True):
    """Rates per token for one range of input tokens, as integers of the price's smallest unit.
    A part without its own rate (cached, audio, reasoning) has the rate of the input or output. None
    is unknown."""

    input: int | None
    output: int | None
    cache_read: int
    cache_write: int
    cache_write_1h: int
    input_audio: int
    cache_audio_read: int
    output_audio: int
    reasoning: int
    simple: tuple[int, int] | None
    """Input and output rate, where both are known and all output tokens have the same rate."""


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
    digits: int
    """The smallest unit is 10**-digits US dollars."""
    audio: bool
    """Audio input has a separate rate."""

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
        """The cost with the origin of its price, or None where it is unknown."""
        usd = self.cost(usage)
        return None if usd is None else Cost(usd, self.origin)

    def cost(self, usage: Usage) -> Decimal | None:
        """The exact cost in US dollars. Parts that are not reported (cached, reasoning, audio) are
        billed at the rate of the input or output.

        None where input or output tokens are unknown, where tokens have no rate, and where the
        usage contradicts itself (more cached than input tokens, a negative number).
        """
        input_tokens, output_tokens = usage.input_tokens, usage.output_tokens
        if input_tokens is None or output_tokens is None:
            return None
        thresholds = self.thresholds
        rates = self.tiers[bisect_left(thresholds, input_tokens) if thresholds else 0]
        simple = rates.simple
        units: int | None
        if simple is not None and not (
            usage.cache_read_tokens
            or usage.cache_write_tokens
            or usage.cache_write_1h_tokens
            or (self.audio and usage.input_audio_tokens)
        ):
            units = input_tokens * simple[0] + output_tokens * simple[1]
        else:
            units = _units_of(rates, usage, self.audio)
        if units is None or units < 0:
            return None
        return Decimal(self.request + units).scaleb(-self.digits)


def _units_of(rates: TierRates, usage: Usage, priced_audio: bool) -> int | None:
    input_tokens = _input_units(rates, usage, usage.input_tokens or 0, priced_audio)
    output_tokens = _output_units(rates, usage, usage.output_tokens or 0)
    return None if input_tokens is None or output_tokens is None else input_tokens + output_tokens


def _input_units(rates: TierRates, usage: Usage, whole: int, priced_audio: bool) -> int | None:
    """Providers do not report which cached tokens were audio: the smallest possible number is
    assumed, which gives the higher cost."""
    read = usage.cache_read_tokens or 0
    long = usage.cache_write_1h_tokens or 0
    write = max(usage.cache_write_tokens or 0, long)
    audio = usage.input_audio_tokens or 0 if priced_audio else 0
    cached_audio = max(0, read + write + audio - whole)
    if read + write > whole or audio > whole or cached_audio > read:
        return None
    if rates.input is None:
        return None if whole else 0
    return (
        (whole - read - write - audio + cached_audio) * rates.input
        + (read - cached_audio) * rates.cache_read
        + (write - long) * rates.cache_write
        + long * rates.cache_write_1h
        + (audio - cached_audio) * rates.input_audio
        + cached_audio * rates.cache_audio_read
    )


def _output_units(rates: TierRates, usage: Usage, whole: int) -> int | None:
    """Reasoning tokens are part of the output and billed once, at their own rate if they have
    one."""
    if rates.output is None:
        return None if whole else 0
    reasoning = usage.reasoning_tokens or 0 if rates.reasoning != rates.output else 0
    audio = usage.output_audio_tokens or 0 if rates.output_audio != rates.output else 0
    if reasoning + audio > whole:
        return None
    rest = whole - reasoning - audio
    return rest * rates.output + reasoning * rates.reasoning + audio * rates.output_audio


# --- Compiling ----------------------------------------------------------------------------------


def compile_price(rates: Rates, origin: PriceOrigin) -> Price | None:
    """Compile ``rates`` to integers; None where neither input nor output tokens have a rate."""
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
        tiers=[_tier_rates(rates, above, places) for above in [-1, *thresholds]],
        request=_units(_rate_above(rates.requests, -1), places + 3) or 0,
        digits=places + 6,
        audio=rates.input_audio is not None,
    )


def _tier_rates(rates: Rates, above: int, places: int) -> TierRates:
    def units(rate: Rate | None) -> int | None:
        return _units(_rate_above(rate, above), places)

    into, out = units(rates.input), units(rates.output)
    read = _rate_or_whole(units(rates.cache_read), into)
    write = _rate_or_whole(units(rates.cache_write), into)
    audio = _rate_or_whole(units(rates.input_audio), into)
    output_audio = _rate_or_whole(units(rates.output_audio), out)
    reasoning = _rate_or_whole(units(rates.reasoning), out)
    is_uniform = output_audio == out == reasoning
    return TierRates(
        input=into,
        output=out,
        cache_read=read,
        cache_write=write,
        cache_write_1h=_rate_or_whole(units(rates.cache_write_1h), write),
        input_audio=audio,
        cache_audio_read=_rate_or_whole(units(rates.cache_audio_read), read),
        output_audio=output_audio,
        reasoning=reasoning,
        simple=(into, out) if into is not None and out is not None and is_uniform else None,
    )


def _rate_or_whole(rate: int | None, whole: int | None) -> int:
    """The rate of a part, or else of the input or output; 0 where both are unknown, which is never
    used."""
    return rate if rate is not None else whole or 0


def _rate_above(rate: Rate | None, above: int) -> Decimal | None:
    """The rate of requests with more than ``above`` input tokens."""
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
