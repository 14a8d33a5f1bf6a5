"""Numbers, times and small charts as texts for the tables of records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from headway.cli.metrics_line import dollars

MINUTE, HOUR, DAY = 60, 3600, 86400
CENT = Decimal("0.01")
_SIZES = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3))
_SHORT = (("T", 10**12), ("G", 10**9), ("M", 10**6))
_LEVELS = "▁▂▃▄▅▆▇█"
_EIGHTHS = " ▏▎▍▌▋▊▉"
_ASCII_LEVELS = "_.-~=+*#"


def amount(usd: Decimal | None) -> str:
    """Rounded for a column: ``$1,204.50``, ``$0.0560``, below a cent three significant digits.
    Empty where it is unknown."""
    if usd is None:
        return ""
    if usd >= 1:
        return f"${usd:,.2f}"
    return f"${usd:.4f}" if usd >= CENT else dollars(usd)


def exact_amount(usd: Decimal) -> str:
    """All digits, at least to the cent."""
    whole, _, cents = f"{usd:f}".partition(".")
    return f"${whole}.{cents.rstrip('0').ljust(2, '0')}".replace("$-", "-$")


def quantity(text: str) -> str:
    """A decimal number as it is, with commas between thousands."""
    number = Decimal(text)
    return f"{number:,f}" if number.is_finite() else text


def count(number: int | None) -> str:
    """``1,204``; from ten million on ``12.3M``. Empty where it is unknown."""
    if number is None:
        return ""
    if number >= 10**7:
        unit, size = next(each for each in _SHORT if number >= each[1])
        return f"{number / size:.1f}{unit}"
    return f"{number:,}"


def seconds(value: float | None) -> str:
    """``412ms`` below a second, ``1.063s`` to the millisecond below 100 s, then ``3m12s``. Empty
    where it is unknown."""
    if value is None:
        return ""
    if value < 0.01:
        return f"{value * 1000:.1f}ms"
    if value < 0.9995:
        return f"{value * 1000:.0f}ms"
    if value < 100:
        return f"{value:.3f}s"
    return span(value)


def span(value: float) -> str:
    """A length of time in its two largest units: ``3m12s``, ``5h04m``, ``2d3h``."""
    whole = round(value)
    if whole < MINUTE:
        return f"{whole}s"
    if whole < HOUR:
        return f"{whole // MINUTE}m{whole % MINUTE:02}s"
    if whole < DAY:
        return f"{whole // HOUR}h{whole % HOUR // MINUTE:02}m"
    return f"{whole // DAY}d{whole % DAY // HOUR}h"


def speed(tokens_per_second: float | None) -> str:
    return "" if tokens_per_second is None else f"{tokens_per_second:.1f}"


def size(number: int) -> str:
    """``412 B``, ``1.2 MB``."""
    for unit, one in _SIZES:
        if number >= one:
            return f"{number / one:.1f} {unit}"
    return f"{number} B"


def percent(part: Decimal | float, whole: Decimal | float) -> str:
    """The share of ``part``; empty of nothing."""
    return f"{float(part) / float(whole):.0%}" if whole else ""


def clock_time(timestamp: float, now: float) -> str:
    """Local time: of the last 18 hours ``16:12:49``, of the last half year ``Nov 28 16:12``, else
    the date."""
    time = datetime.fromtimestamp(timestamp).astimezone()
    age = now - timestamp
    if -HOUR < age < 18 * HOUR:
        return f"{time:%H:%M:%S}"
    if -HOUR < age < 180 * DAY:
        return f"{time:%b %d %H:%M}"
    return f"{time:%Y-%m-%d}"


def full_time(timestamp: float) -> str:
    """Local time to the millisecond, with its zone."""
    time = datetime.fromtimestamp(timestamp).astimezone()
    return f"{time:%Y-%m-%d %H:%M:%S}.{int(time.microsecond / 1000):03} {time:%Z}"


def sparkline(values: Sequence[float], *, blocks: bool = True, least_top: float = 0.0) -> str:
    """One character a value, from zero to the highest, or to ``least_top`` if that is more. Only
    zero has the lowest character."""
    levels = _LEVELS if blocks else _ASCII_LEVELS
    top = max(least_top, max(values, default=0.0))
    steps = len(levels) - 1
    return "".join(
        levels[max(1, round(value / top * steps))] if value > 0 else levels[0] for value in values
    )


def bar(start: float, end: float, width: int, *, blocks: bool = True) -> str:
    """A bar from ``start`` to ``end``, shares of ``width`` characters; never empty."""
    first = min(int(start * width), width - 1)
    eighths = max(1, round((end - start) * width * 8))
    full, rest = divmod(eighths, 8)
    if not blocks:
        return " " * first + "#" * min(max(1, round(eighths / 8)), width - first)
    if full >= width - first:
        return " " * first + "█" * (width - first)
    return " " * first + "█" * full + (_EIGHTHS[rest] if rest else "")
