"""What the ledger must say of a request to a provider: the tokens that the provider reported, or
what can be known of them, and their price."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from headway.record import Record
from simulation.answers import mark
from simulation.schedules import Schedule
from simulation.transport import NOTHING as NOTHING_DELIVERED
from simulation.transport import SimulatedRequest

COUNTED_INPUT = 77
"""What the simulated token counter says of every prompt."""
BYTES_PER_TOKEN = 4
LEFT = "client_closed_request"
MILLION = Decimal(1_000_000)


def check_tokens(schedule: Schedule, request: SimulatedRequest, record: Record) -> Iterator[str]:
    if request.plan.is_damaged:
        return
    got = (record.input_tokens, record.output_tokens, record.tokens_source)
    allowed = _allowed(schedule, request, record)
    if got not in allowed:
        yield f"the tokens {got} should be one of {allowed}"
    expected = _price(record)
    if record.cost_usd != expected and not _same(record.cost_usd, expected):
        yield f"the cost {record.cost_usd} should be {expected}"


Tokens = tuple[int | None, int | None, str | None]
NOTHING: Tokens = (None, None, None)


def _allowed(schedule: Schedule, request: SimulatedRequest, record: Record) -> list[Tokens]:
    asked, said = request.asked, request.delivered()
    has_left = record.error_type == LEFT
    if request.plan.status != 200 and request.response_at is not None:
        return [NOTHING]
    if request.response_at is None:
        if not (has_left and request.sent_at is not None):
            return [NOTHING]
        said = NOTHING_DELIVERED
    given = asked.input_tokens if said.has_input else None
    made = asked.output_tokens if said.has_output else None
    if given is not None and made is not None:
        return [(given, made, "reported")]
    is_ok = record.outcome == "ok" or (record.is_drained and said.finished)
    if not (is_ok or said.texts or has_left):
        return [(given, made, None)]
    output = "".join(mark(asked.serial, number) for number in range(said.texts))
    estimated = made if made is not None else len(output) // BYTES_PER_TOKEN
    counted = made if made is not None else said.texts
    if is_ok:
        if not schedule.counts:
            return [(given, made, None)]
        return [(given or COUNTED_INPUT, counted, "counted")]
    inputs = {given} if given is not None else {COUNTED_INPUT, record.input_tokens}
    return [
        (given_tokens, output_tokens, "estimated")
        for given_tokens in inputs
        for output_tokens in {counted, estimated}
    ]


def _price(record: Record) -> str | None:
    """A dollar in, two out, per million tokens."""
    if record.input_tokens is None or record.output_tokens is None:
        return None
    if record.upstream_status not in (None, 200):
        return None
    return f"{(record.input_tokens + 2 * record.output_tokens) / MILLION:f}"


def _same(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and Decimal(one) == Decimal(other)
