"""What the ledger must say of a request to a provider: the tokens that the provider reported, or
what can be known of them, and their price."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from headway.record import Record
from simulation.answers import mark
from simulation.prices import price_of
from simulation.schedules import Schedule
from simulation.transport import NOTHING as NOTHING_DELIVERED
from simulation.transport import SimulatedRequest

COUNTED_INPUT = 77
"""What the simulated token counter says of every prompt."""
BYTES_PER_TOKEN = 4
NOT_WANTED = frozenset({"client_closed_request", "hedge_lost", "shutting_down"})
"""Types of errors with which the gateway closes a connection."""
LIMITS = frozenset({"first_token_timeout", "idle_timeout", "too_slow", "deadline_exceeded"})
"""Codes of such errors."""

Tokens = tuple[int | None, int | None, str | None]
NOTHING: Tokens = (None, None, None)


def check_tokens(schedule: Schedule, request: SimulatedRequest, record: Record) -> Iterator[str]:
    if request.plan.is_damaged:
        return
    got = (record.input_tokens, record.output_tokens, record.tokens_source)
    allowed = _allowed(schedule, request, record)
    if got not in allowed:
        yield f"the tokens {got} should be one of {allowed}"
    expected = _price(request, record)
    cost = None if record.cost_usd is None else Decimal(record.cost_usd)
    if cost != expected:
        yield f"the cost {record.cost_usd} should be {expected}"


def _allowed(schedule: Schedule, request: SimulatedRequest, record: Record) -> list[Tokens]:
    asked, said = request.asked, request.delivered(record.upstream_response_bytes or 0)
    may_be_billed = record.error_type in NOT_WANTED or record.error_code in LIMITS
    if request.plan.status != 200 and request.response_at is not None:
        return [NOTHING]
    if request.response_at is None:
        if not (may_be_billed and request.sent_at is not None):
            return [NOTHING]
        said = NOTHING_DELIVERED
    given = asked.input_tokens if said.has_input else None
    made = asked.output_tokens if said.has_output else None
    if given is not None and made is not None:
        return [(given, made, "reported")]
    is_ok = record.outcome == "ok" or (record.is_drained and said.finished)
    plain: list[Tokens] = [(given, made, None)]
    if not (is_ok or said.texts or may_be_billed):
        return plain
    output = "".join(mark(asked.serial, number) for number in range(said.texts))
    estimated = made if made is not None else len(output) // BYTES_PER_TOKEN
    counted = made if made is not None else said.texts
    if is_ok:
        if not schedule.counts:
            return plain
        return [(given or COUNTED_INPUT, counted, "counted")]
    inputs = {given} if given is not None else {COUNTED_INPUT, record.input_tokens}
    found: list[Tokens] = [
        (given_tokens, output_tokens, "estimated")
        for given_tokens in inputs
        for output_tokens in {counted, estimated}
    ]
    # The transport's own idle timeout has the code of the limit, and nothing is billed after it.
    return found + plain if record.error_code == "idle_timeout" and not said.texts else found


def _price(request: SimulatedRequest, record: Record) -> Decimal | None:
    given, made = record.input_tokens, record.output_tokens
    if given is None or made is None or record.upstream_status not in (None, 200):
        return None
    return price_of(request.provider.name, request.asked.model, given, made)
