"""Reads the timing of one attempt off the events that the transport delivers.

The clock is the caller's: every method takes ``now``, read where the bytes arrived, in seconds.
``Meter.on_events`` runs once per streamed frame, so it does nothing but keep an arrival time;
all arithmetic waits for ``Meter.timing``.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import pairwise

from msgspec import Struct

from headway.types import CONTENT, Event


class Timing(Struct, frozen=True, kw_only=True):
    """Durations in seconds, each from the caller's request read whole unless it is a gap.

    None is unknown: the attempt did not get that far, or a gap needs two content events.
    """

    latency_s: float | None = None
    """To the last byte of the answer."""
    time_to_first_token_s: float | None = None
    """To the first frame that carries content."""
    time_to_first_byte_s: float | None = None
    """To the head of the provider's answer."""
    time_to_sent_s: float | None = None
    """To the last byte of our request handed to the socket."""
    inter_token_latency_s: float | None = None
    """Mean gap between consecutive content frames."""
    inter_token_latency_p50_s: float | None = None
    inter_token_latency_p95_s: float | None = None
    """Percentiles are nearest-rank: the smallest gap that at least that share of gaps does not
    exceed. So each is a gap that was really observed."""
    inter_token_latency_max_s: float | None = None


class Meter:
    """The stopwatch of one attempt.

    ``started`` is the clock when the caller's request was read whole, also for a second or third
    attempt: what the caller waited for includes the attempts that failed.
    """

    __slots__ = ("_arrivals", "_ended", "_keep", "_responded", "_sent", "_started")

    def __init__(self, started: float) -> None:
        self._started = started
        self._sent: float | None = None
        self._responded: float | None = None
        self._ended: float | None = None
        self._arrivals = array("d")
        self._keep = self._arrivals.append

    def on_sent(self, now: float) -> None:
        """The request's last byte was handed to the socket."""
        self._sent = now

    def on_response(self, now: float) -> None:
        """The head of the answer arrived."""
        self._responded = now

    def on_events(self, events: Iterable[Event], now: float) -> None:
        """The events of one frame: together they are one content event, or none."""
        for event in events:
            if type(event) in CONTENT:
                self._keep(now)
                break

    def on_end(self, now: float) -> None:
        """The last byte arrived."""
        self._ended = now

    @property
    def content_events(self) -> int:
        """How many frames carried content so far."""
        return len(self._arrivals)

    def timing(self) -> Timing:
        """What is known by now; callable at any time, also after a failure."""
        arrivals = self._arrivals
        gaps = sorted(later - earlier for earlier, later in pairwise(arrivals))
        return Timing(
            latency_s=self._since_start(self._ended),
            time_to_first_token_s=self._since_start(arrivals[0] if arrivals else None),
            time_to_first_byte_s=self._since_start(self._responded),
            time_to_sent_s=self._since_start(self._sent),
            inter_token_latency_s=(arrivals[-1] - arrivals[0]) / len(gaps) if gaps else None,
            inter_token_latency_p50_s=_percentile(gaps, 50),
            inter_token_latency_p95_s=_percentile(gaps, 95),
            inter_token_latency_max_s=gaps[-1] if gaps else None,
        )

    def _since_start(self, moment: float | None) -> float | None:
        return None if moment is None else moment - self._started


def _percentile(ascending: list[float], percent: int) -> float | None:
    """The value at rank ceil(percent / 100 * n), counted from one; integers keep it exact."""
    if not ascending:
        return None
    return ascending[-(-percent * len(ascending) // 100) - 1]
