"""What one request asks of the choice among targets, beside what the route says."""

from __future__ import annotations

from msgspec import Struct

from headway.routing.route import Strategy


class Wishes(Struct, frozen=True, kw_only=True):
    """Providers are named by their configured name or by their kind."""

    order: tuple[str, ...] = ()
    """These first, in this order."""
    only: tuple[str, ...] = ()
    """No others. Empty: all."""
    ignore: tuple[str, ...] = ()
    """None of these."""
    sort: Strategy | None = None
    """In place of the route's strategy."""
    max_input_usd: float | None = None
    """Most dollars per million tokens; a target whose price is unknown is not used then."""
    max_output_usd: float | None = None
    allows_fallbacks: bool = True
    """False: only the first candidate is tried; with ``order``, only those in it."""


NO_WISHES = Wishes()
