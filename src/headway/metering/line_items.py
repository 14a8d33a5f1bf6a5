"""The lines of a bill: what was billed, how much of it, and at what price.

The products of quantity and price add up to the cost exactly. Where seconds of audio are billed,
the sum is rounded to 10**-12 US dollars, half to even: a price per hour may have no end as a price
per second, of which `AUDIO_PLACES` decimal places are kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache

from msgspec import Struct

AUDIO = "audio_seconds"
AUDIO_PLACES = Decimal("1e-24")
LEAST = Decimal("1e-12")
"""US dollars to which the cost of seconds is rounded."""
EXACT = Context(prec=200, rounding=ROUND_HALF_EVEN)


class LineItem(Struct, frozen=True, array_like=True, gc=False):
    """One line of a bill. As JSON ``["input", "1000", "0.00000015"]``: decimal numbers as text, so
    that they stay exact."""

    kind: str
    """What is billed: `input`, `cache_read`, `cache_write`, `cache_write_1h`, `output`,
    `reasoning`, `input_audio`, `request`, `web_search` and so on."""
    quantity: str
    """Tokens, searches, requests, characters, or seconds of audio."""
    unit_price_usd: str
    """US dollars for one of them."""


LineItems = tuple[LineItem, ...]


def amount_of(items: Iterable[LineItem]) -> Decimal:
    """The exact cost in US dollars that the lines add up to."""
    total, has_audio = Decimal(0), False
    for item in items:
        product = EXACT.multiply(Decimal(item.quantity), Decimal(item.unit_price_usd))
        total = EXACT.add(total, product)
        has_audio = has_audio or item.kind == AUDIO
    return round_amount(total) if has_audio else total


def round_amount(usd: Decimal) -> Decimal:
    return usd.quantize(LEAST, context=EXACT).normalize(EXACT)


@lru_cache(maxsize=4096)
def unit_text(rate: int, digits: int) -> str:
    """``rate`` times 10**-digits US dollars, as a decimal number without an exponent."""
    return plain(Decimal(rate).scaleb(-digits))


def plain(number: Decimal) -> str:
    """Without an exponent, and without zeros at its end."""
    return f"{number.normalize(EXACT):f}"
