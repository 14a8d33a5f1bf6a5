"""US dollars as integers, exactly: picodollars, and a rest for what is smaller.

Nothing here rounds: ``parse_usd`` splits an amount into a whole number of picodollars, which
databases can add, and the rest, which is None nearly always.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact, InvalidOperation, Overflow

DIGITS = 12
"""Decimal digits of a dollar that a picodollar is."""
MAX_INTEGER = 2**62
"""More than that (4.6 million dollars) is part of the rest, so that databases can hold the
integer."""
MAX_EXPONENT = 100
EXACT = Context(
    prec=2000, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact, InvalidOperation, Overflow]
)
"""Adds without rounding."""
ZERO = Decimal(0)


def parse_usd(text: str) -> tuple[int, str | None]:
    """Picodollars and the rest in dollars. Raises ValueError for what is no finite number."""
    whole, _, fraction = text.partition(".")
    if len(fraction) <= DIGITS and len(whole) < 7:
        digits = whole + fraction.ljust(DIGITS, "0")
        if digits.isdecimal():
            return int(digits), None
    try:
        return split_usd(EXACT.create_decimal(text))
    except (InvalidOperation, Inexact, Overflow):
        raise ValueError(f"{text[:100]!r} is no amount of dollars") from None


def split_usd(amount: Decimal) -> tuple[int, str | None]:
    """As ``parse_usd``."""
    if not amount.is_finite() or abs(amount.adjusted()) > MAX_EXPONENT:
        raise ValueError("it is no amount of dollars")
    scaled = amount.scaleb(DIGITS, EXACT)
    picodollars = max(-MAX_INTEGER, min(int(scaled), MAX_INTEGER))
    rest = EXACT.subtract(scaled, Decimal(picodollars))
    return picodollars, f"{rest.scaleb(-DIGITS, EXACT):f}" if rest else None


def join_usd(picodollars: int, rest: str | None = None) -> Decimal:
    """The amount in dollars."""
    amount = Decimal(picodollars).scaleb(-DIGITS, EXACT)
    return amount if rest is None else EXACT.add(amount, Decimal(rest))


def format_usd(amount: Decimal) -> str:
    """All digits, and no zeros after the last one: ``0.00015``."""
    text = f"{amount:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def sum_usd(amounts: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total


def add_usd(one: Decimal, other: Decimal) -> Decimal:
    return EXACT.add(one, other)
