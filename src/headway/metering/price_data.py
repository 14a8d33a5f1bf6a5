"""The shape of ``prices.json``: one model a line, amounts as strings, exact.

``tools/prices.py`` writes these values and ``PriceBook`` reads them, so this is the file's only
definition. Amounts are US dollars per million tokens, ``requests`` per thousand requests.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal

from msgspec import Raw, Struct


class Tiered(Struct, frozen=True):
    """A rate that depends on the request's input tokens: above a threshold all tokens of the
    request cost that tier's rate, not only those above it."""

    base: Decimal
    above: list[tuple[int, Decimal]]
    """(input tokens, rate once there are more than that), ascending."""


Rate = Decimal | Tiered


class Rates(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a kind of token costs. None is not priced on its own: it costs what its whole costs."""

    input: Rate | None = None
    cache_read: Rate | None = None
    cache_write: Rate | None = None
    cache_write_1h: Rate | None = None
    input_audio: Rate | None = None
    cache_audio_read: Rate | None = None
    output: Rate | None = None
    output_audio: Rate | None = None
    reasoning: Rate | None = None
    requests: Rate | None = None


class Term(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"start": "from"}):
    """When something is in force; both in UTC, as the providers' price pages mean them."""

    start: date | None = None
    between: tuple[time, time] | None = None
    """Every day from the first time until the second, which may be the next day."""

    def is_in_force(self, moment: datetime) -> bool:
        """``moment`` is aware and in UTC."""
        if self.start is not None and moment.date() < self.start:
            return False
        if self.between is None:
            return True
        begin, end = self.between
        now = moment.timetz()
        return begin <= now < end if begin <= end else now >= begin or now < end


class Dated(Term, frozen=True, kw_only=True):
    """A model's rates for a term. Of those in force the last one counts."""

    rates: Rates


class Variant(Term, frozen=True, kw_only=True):
    """Rates that replace a model's where the request's context has all of ``when``
    (``{"service_tier": "priority"}``); for each rate the first variant that has it counts."""

    when: dict[str, str]
    rates: Rates


class Clause(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"any_of": "or", "all_of": "and"}
):
    """A rule over a model's name in lower case; exactly one of the fields is set."""

    equals: str | None = None
    starts_with: str | None = None
    ends_with: str | None = None
    contains: str | None = None
    regex: str | None = None
    any_of: list[Clause] | None = None
    all_of: list[Clause] | None = None

    def matches(self, name: str) -> bool:
        if self.equals is not None:
            return name == self.equals
        if self.any_of is not None:
            return any(clause.matches(name) for clause in self.any_of)
        if self.contains is not None:
            return self.contains in name
        if self.starts_with is not None:
            return name.startswith(self.starts_with)
        if self.ends_with is not None:
            return name.endswith(self.ends_with)
        if self.regex is not None:
            return re.search(self.regex, name) is not None
        return all(clause.matches(name) for clause in self.all_of or ())


class Model(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    match: Clause
    name: str | None = None
    context_window: int | None = None
    """Tokens."""
    deprecated: bool = False
    prices: list[Dated] = []
    """Empty, or without rates for tokens: the price is unknown."""
    variants: list[Variant] = []


class Provider(Struct, frozen=True, kw_only=True, omit_defaults=True):
    name: str
    fallback: list[str] = []
    """Providers whose models this one also offers, at their prices unless its own are listed."""
    models: list[Model]
    """The first that matches a name counts."""


class Book(Struct, frozen=True, kw_only=True):
    source: str
    version: str
    date: date
    """When the data was taken from its source."""
    providers: dict[str, Raw]
    """Each a ``Provider``, left undecoded until it is asked for."""
