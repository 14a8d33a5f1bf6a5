"""What goes wrong at simulated providers. A ``Plan`` is the course of one response; each fault
changes it. ``Episode`` says when a fault happens, and to which share of the requests.
"""

from __future__ import annotations

import email.utils
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from headway.errors import UpstreamDisconnected, UpstreamError, UpstreamUnreachable
from headway.types import Headers
from simulation.answers import JSON, Answer, Asked, Piece, WireFormat

NEVER = float("inf")


@dataclass
class Plan:
    """The course of one response. Delays are in seconds; ``NEVER`` leaves it to a timeout."""

    wire: WireFormat
    asked: Asked
    answer: Answer
    unix_time: float
    connect: float = 0.0
    """Delay until the request is sent."""
    head: float = 0.0
    """Delay from then to the headers."""
    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    """The body, whose events may be cut into chunks anywhere."""
    chunks: list[tuple[float, bytes]] = field(default_factory=list)
    """Delay and bytes of each."""
    end: float = 0.0
    """Delay from the last chunk to the end."""
    error: UpstreamError | None = None
    """The connection breaks where the end would be, or earlier where ``connect`` or ``head`` is
    never reached."""
    breaks_at: str = "end"
    """``connect``, ``head`` or ``end``: where ``error`` happens."""
    fault: str = ""
    retry_after: float | None = None
    """Seconds in which the provider wants no request."""
    is_damaged: bool = False
    """Its bytes may mean anything."""

    @property
    def head_lines(self) -> Headers:
        return self.headers


class Episode(NamedTuple):
    """A fault of a provider, or of one of its keys or models, for some time."""

    kind: str
    start: float
    end: float
    share: float = 1.0
    """Of the requests."""
    amount: float = 1.0
    """Seconds, for faults that have them."""
    key: str | None = None
    """Only requests with this key."""
    model: str | None = None
    """Only requests to this model."""

    def hits(self, now: float, key: str, model: str) -> bool:
        return (
            self.start <= now < self.end and self.key in (None, key) and self.model in (None, model)
        )


class Pace(NamedTuple):
    """How fast a provider answers without any fault, in seconds."""

    connect: float
    first: float
    """To the first byte."""
    gap: float
    """Between two chunks."""


def healthy_plan(wire: WireFormat, asked: Asked, pace: Pace, rng: Random, unix: float) -> Plan:
    answer = wire.answer(asked)
    pieces, first = answer.pieces, pace.first * (0.5 + rng.random())
    plan = Plan(wire, asked, answer, unix, pace.connect, first, pieces=pieces)
    plan.headers = [(b"content-type", answer.content_type)]
    plan.chunks = cut_into_chunks(pieces, pace.gap, rng)
    return plan


def cut_into_chunks(pieces: list[Piece], gap: float, rng: Random) -> list[tuple[float, bytes]]:
    """Some events share a chunk, and some are cut."""
    chunks: list[tuple[float, bytes]] = []
    held = b""
    for piece in pieces:
        draw = rng.random()
        held += piece.data
        if draw < 0.25:
            continue
        if draw < 0.35 and len(held) > 2:
            at = rng.randrange(1, len(held))
            chunks.append((gap, held[:at]))
            held = held[at:]
        else:
            chunks.append((gap * (0.5 + draw), held))
            held = b""
    if held:
        chunks.append((gap, held))
    return chunks


# --- Faults ---------------------------------------------------------------------------------------


def refused(plan: Plan, rng: Random, amount: float) -> None:
    plan.error = UpstreamUnreachable("cannot reach it: nothing listens", code="connection_refused")
    plan.breaks_at = "connect"


def unreachable(plan: Plan, rng: Random, amount: float) -> None:
    plan.connect = NEVER


def reset_before_head(plan: Plan, rng: Random, amount: float) -> None:
    plan.error = _disconnected("before it answered")
    plan.breaks_at = "head"


def silent(plan: Plan, rng: Random, amount: float) -> None:
    plan.head = NEVER


def slow_start(plan: Plan, rng: Random, amount: float) -> None:
    """Of the headers, or of the content after them."""
    if rng.random() < 0.5 or not plan.chunks:
        plan.head += amount
    else:
        delay, data = plan.chunks[0]
        plan.chunks[0] = delay + amount, data


def trickle(plan: Plan, rng: Random, amount: float) -> None:
    plan.chunks = [(amount, data) for _, data in plan.chunks]


def cut(plan: Plan, rng: Random, amount: float) -> None:
    """The connection breaks somewhere in the body."""
    _keep_bytes(plan, rng)
    plan.error = _disconnected("in the middle of its answer")


def truncated(plan: Plan, rng: Random, amount: float) -> None:
    """The body ends properly, but too early."""
    plan.chunks = plan.chunks[: rng.randrange(len(plan.chunks))]


def stall(plan: Plan, rng: Random, amount: float) -> None:
    """It falls silent in the middle."""
    _keep_bytes(plan, rng)
    plan.end = NEVER


def rate_limit(plan: Plan, rng: Random, amount: float) -> None:
    _fail(plan, 429, plan.wire.error("Slow down.", "rate_limit_error", None))
    form = rng.randrange(4)
    if form == 0:
        plan.retry_after = max(1, round(amount))
        plan.headers.append((b"retry-after", b"%d" % plan.retry_after))
    elif form == 1:
        date = email.utils.formatdate(plan.unix_time + amount, usegmt=True)
        plan.headers.append((b"retry-after", date.encode()))
    elif form == 2:
        plan.retry_after = round(amount * 1000) / 1000
        plan.headers.append((b"retry-after-ms", b"%d" % round(amount * 1000)))


def server_error(plan: Plan, rng: Random, amount: float) -> None:
    status = rng.choice((500, 502, 503, 529))
    if rng.random() < 0.3:
        _fail(plan, status, b"<html><body>Bad gateway</body></html>")
        plan.headers = [(b"content-type", b"text/html")]
    else:
        _fail(plan, status, plan.wire.error("It broke.", "server_error", None))


def revoked(plan: Plan, rng: Random, amount: float) -> None:
    status = rng.choice((401, 403))
    _fail(plan, status, plan.wire.error("This key is revoked.", "authentication_error", None))


def quota(plan: Plan, rng: Random, amount: float) -> None:
    body = plan.wire.error("The quota is used up.", "insufficient_quota", "insufficient_quota")
    _fail(plan, 402, body)


def rejected(plan: Plan, rng: Random, amount: float) -> None:
    _fail(plan, 400, plan.wire.error("A wrong parameter.", "invalid_request_error", None))


def context_window(plan: Plan, rng: Random, amount: float) -> None:
    """The prompt is too long for the model."""
    message = "This model's maximum context length is 100 tokens."
    code = "context_length_exceeded"
    _fail(plan, 400, plan.wire.error(message, "invalid_request_error", code))


def content_policy(plan: Plan, rng: Random, amount: float) -> None:
    """The provider does not want to read the prompt."""
    message = "Output blocked by content filtering policy"
    code = "content_policy_violation"
    _fail(plan, 400, plan.wire.error(message, "invalid_request_error", code))


def too_long(plan: Plan, rng: Random, amount: float) -> None:
    """The answer is cut at the longest length."""
    _answer(plan, rng, plan.asked._replace(ending="length"))


def filtered(plan: Plan, rng: Random, amount: float) -> None:
    """The answer is cut for what it says, at times before it says anything."""
    texts = 0 if rng.random() < 0.5 else plan.asked.texts
    _answer(plan, rng, plan.asked._replace(ending="filter", texts=texts))


def empty_body(plan: Plan, rng: Random, amount: float) -> None:
    """Status 200, and nothing else."""
    plan.pieces = []
    plan.chunks = []


def empty_answer(plan: Plan, rng: Random, amount: float) -> None:
    """Complete, and without any text."""
    _answer(plan, rng, plan.asked._replace(texts=0))


def web_page(plan: Plan, rng: Random, amount: float) -> None:
    """Status 200, with the page of some proxy."""
    _fail(plan, 200, b"<html><body>Please log in</body></html>")
    plan.headers = [(b"content-type", b"text/html")]


def error_in_stream(plan: Plan, rng: Random, amount: float) -> None:
    """Status 200, and an error in place of an event, or of the body."""
    error = plan.wire.error("It broke in the middle.", "overloaded_error", None)
    if plan.answer.content_type == JSON:
        _fail(plan, 200, error)
        return
    kept = plan.pieces[: rng.randrange(len(plan.pieces))]
    while kept and kept[-1].finishes:  # an error after the end is none
        kept = kept[:-1]
    plan.pieces = [*kept, Piece(plan.wire.error_event(error))]
    gap = plan.chunks[0][0]
    plan.chunks = cut_into_chunks(plan.pieces, gap, rng)


def garbled(plan: Plan, rng: Random, amount: float) -> None:
    """Some bytes are replaced."""
    if not plan.chunks:
        return
    at = rng.randrange(len(plan.chunks))
    delay, data = plan.chunks[at]
    start = rng.randrange(len(data))
    junk = rng.randbytes(rng.randrange(1, 6))
    plan.chunks[at] = delay, data[:start] + junk + data[start + len(junk) :]
    plan.is_damaged = True


FAULTS: dict[str, Callable[[Plan, Random, float], None]] = {
    each.__name__: each
    for each in (
        refused, unreachable, reset_before_head, silent, slow_start, trickle, cut, truncated,
        stall, rate_limit, server_error, revoked, quota, rejected, context_window,
        content_policy, too_long, filtered, empty_body, empty_answer, web_page,
        error_in_stream, garbled,
    )
}  # fmt: skip


def _answer(plan: Plan, rng: Random, asked: Asked) -> None:
    plan.asked = asked
    plan.answer = plan.wire.answer(asked)
    plan.pieces = plan.answer.pieces
    plan.chunks = cut_into_chunks(plan.pieces, plan.chunks[0][0], rng)


def _disconnected(when: str) -> UpstreamDisconnected:
    return UpstreamDisconnected(f"it closed the connection {when}", code="disconnected")


def _keep_bytes(plan: Plan, rng: Random) -> None:
    """The body without its end, at least a byte short of the answer's last event."""
    chunks = plan.chunks[: rng.randrange(len(plan.chunks))] if plan.chunks else []
    if chunks and rng.random() < 0.3:
        delay, data = chunks[-1]
        chunks[-1] = delay, data[: rng.randrange(1, len(data) + 1)]
    plan.chunks = chunks


def _fail(plan: Plan, status: int, body: bytes) -> None:
    plan.status = status
    plan.headers = [(b"content-type", JSON)]
    plan.pieces = [Piece(body)]
    plan.chunks = [(0.0, body)]
