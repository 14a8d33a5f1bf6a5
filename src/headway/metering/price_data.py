"""The schema of ``prices.json``: one model a line, amounts as strings, so that they stay exact.

``tools/prices.py`` writes the file and ``PriceBook`` reads it. Amounts are US dollars per million
tokens, of requests and searches per thousand.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal

from msgspec import Raw, Struct


class Tiered(Struct, frozen=True):
    """A rate that depends on the request's input tokens: above a threshold the tier's rate applies
    to all tokens of the request, not only to those above it."""

    base: Decimal
    above: list[tuple[int, Decimal]]
    """(threshold in input tokens, rate above it), ascending."""


Rate = Decimal | Tiered


Medium = Literal["audio", "image", "video"]
"""What tokens may be of other than text."""


class Rates(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Rates by kind of token. None: there is no separate rate. For cached and reasoning tokens that
    of the input or output then applies; for tokens of a medium only where ``Model.one_rate`` says
    so; anything else is unknown."""

    input: Rate | None = None
    cache_read: Rate | None = None
    cache_write: Rate | None = None
    cache_write_1h: Rate | None = None
    input_audio: Rate | None = None
    input_image: Rate | None = None
    input_video: Rate | None = None
    cache_audio_read: Rate | None = None
    cache_image_read: Rate | None = None
    output: Rate | None = None
    output_audio: Rate | None = None
    output_image: Rate | None = None
    output_video: Rate | None = None
    reasoning: Rate | None = None
    citations: Rate | None = None
    requests: Rate | None = None
    """This and the next two: US dollars per thousand."""
    web_searches: Rate | None = None
    file_searches: Rate | None = None
    audio_hours: Rate | None = None
    """US dollars per hour of a recording."""
    characters: Rate | None = None
    """US dollars per million characters of a text to speak."""
    search_units: Rate | None = None
    """US dollars per thousand units of reranking."""


class OneRate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The media whose tokens cost what text costs, according to the provider's price list."""

    input: list[Medium] = []
    output: list[Medium] = []


class EffectivePeriod(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"start": "from"}
):
    """When a rate applies. Date and times are in UTC, as on the providers' price pages."""

    start: date | None = None
    between: tuple[time, time] | None = None
    """Every day from the first time until the second, which may be on the next day."""

    def is_in_force(self, moment: datetime) -> bool:
        """``moment`` must be timezone-aware, in UTC."""
        if self.start is not None and moment.date() < self.start:
            return False
        if self.between is None:
            return True
        begin, end = self.between
        now = moment.timetz()
        return begin <= now < end if begin <= end else now >= begin or now < end


class DatedRates(EffectivePeriod, frozen=True, kw_only=True):
    """Rates of a model for a period. If several are in force, the last one applies."""

    rates: Rates


class RateVariant(EffectivePeriod, frozen=True, kw_only=True):
    """Rates that replace a model's where the request's context contains all of ``when``
    (``{"service_tier": "priority"}``); for each rate the first variant that has it applies."""

    when: dict[str, str]
    rates: Rates


class ModelMatcher(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"any_of": "or", "all_of": "and"}
):
    """A rule that matches model names in lower case; exactly one field is set."""

    equals: str | None = None
    starts_with: str | None = None
    ends_with: str | None = None
    contains: str | None = None
    regex: str | None = None
    any_of: list[ModelMatcher] | None = None
    all_of: list[ModelMatcher] | None = None

    def matches(self, name: str) -> bool:
        if self.equals is not None:
            return name == self.equals
        if self.any_of is not None:
            return any(matcher.matches(name) for matcher in self.any_of)
        if self.contains is not None:
            return self.contains in name
        if self.starts_with is not None:
            return name.startswith(self.starts_with)
        if self.ends_with is not None:
            return name.endswith(self.ends_with)
        if self.regex is not None:
            return re.search(self.regex, name) is not None
        return all(matcher.matches(name) for matcher in self.all_of or ())


class Model(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    match: ModelMatcher
    name: str | None = None
    context_window: int | None = None
    """Tokens."""
    deprecated: bool = False
    prices: list[DatedRates] = []
    """Empty, or without token rates: the price is unknown."""
    variants: list[RateVariant] = []
    one_rate: OneRate | None = None


class Surcharge(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"start": "from"}):
    """A factor of all token rates, as the provider publishes it. 1 is a published fact too: the
    condition costs nothing."""

    condition: str
    values: str = ""
    """A regular expression that matches the beginning of the condition's values."""
    models: str = ""
    """The same for the ids of the models."""
    factor: Decimal
    start: date | None = None
    """The first day on which it applies."""
    source: str
    """The page that says so."""


class Provider(Struct, frozen=True, kw_only=True, omit_defaults=True):
    name: str
    fallback: list[str] = []
    """Ids of providers whose models this one also offers, at their prices unless listed here."""
    models: list[Model]
    """The first one that matches a name applies."""
    surcharges: list[Surcharge] = []
    """Of those that apply to a model and a condition, the first counts."""


class PriceData(Struct, frozen=True, kw_only=True):
    source: str
    version: str
    date: date
    """When the data was compiled from its source."""
    providers: dict[str, Raw]
    """Each a ``Provider``, decoded on first use."""
