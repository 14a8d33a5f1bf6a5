"""Timing of one attempt, computed from the clock readings taken where bytes arrived.

Arrivals are only stored while a response runs; ``Meter.timing`` does the arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import sub

from msgspec import Struct

from headway.metering.histogram import ZERO, BucketCounts, count_ascending


class Timing(Struct, frozen=True, gc=False):
    """Durations in seconds. All but the gaps start when the client's request has been read
    completely.

    None is unknown: the attempt did not get that far, or there were fewer than two content events.
    """

    latency_s: float | None = None
    """Until the last byte of the provider's response."""
    time_to_first_token_s: float | None = None
    """Until the first frame that carries content."""
    time_to_first_byte_s: float | None = None
    """Until the headers of the provider's response."""
    time_to_sent_s: float | None = None
    """Until the last byte of the request is handed to the socket."""
    inter_token_latency_s: float | None = None
    """Mean gap between consecutive content frames."""
    inter_token_latency_p50_s: float | None = None
    inter_token_latency_p95_s: float | None = None
    """Percentiles are nearest-rank, so each is a gap that was observed."""
    inter_token_latency_max_s: float | None = None
    gap_counts: BucketCounts = ()
    """A histogram of the gaps."""


class Meter:
    """The clock readings of one attempt, in seconds of a monotonic clock.

    ``started`` is when the client's request had been read completely, also for a later attempt: the
    client waited for the failed attempts as well.
    """

    __slots__ = ("arrivals", "ended", "responded", "sent", "started")

    def __init__(self, started: float) -> None:
        self.started = started
        self.sent: float | None = None
        """When the request's last byte was handed to the socket."""
        self.responded: float | None = None
        """When the head of the response arrived."""
        self.ended: float | None = None
        """When the last byte arrived."""
        self.arrivals: Sequence[float] = ()
        """When each frame with content arrived."""

    def timing(self) -> Timing:
        """The timing so far; may be called at any time, also after a failure."""
        started, arrivals, count = self.started, self.arrivals, len(self.arrivals)
        ended, responded, sent = self.ended, self.responded, self.sent
        latency = None if ended is None else ended - started
        first = arrivals[0] - started if count else None
        head = None if responded is None else responded - started
        handed = None if sent is None else sent - started
        if count < 2:
            return Timing(latency, first, head, handed)
        return Timing(latency, first, head, handed, *_gaps(arrivals))


def _gaps(arrivals: Sequence[float]) -> tuple[float, float, float, float, BucketCounts]:
    """Mean, median, 95th percentile, maximum and histogram of the gaps between arrivals."""
    span = arrivals[-1] - arrivals[0]
    if not span:  # all arrived in one read
        return 0.0, 0.0, 0.0, 0.0, ((ZERO, len(arrivals) - 1),)
    gaps = sorted(map(sub, arrivals[1:], arrivals))
    median, high = _percentile(gaps, 50), _percentile(gaps, 95)
    return span / len(gaps), median, high, gaps[-1], count_ascending(gaps)


def _percentile(ascending: list[float], percent: int) -> float:
    """The value at rank ceil(percent / 100 * n), counted from one; integers keep it exact."""
    return ascending[-(-percent * len(ascending) // 100) - 1]
