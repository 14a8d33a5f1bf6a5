"""What a client asks of the routing of its own request is done."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from simulation.played_call import PlayedCall
from simulation.prices import RATES


def check_wishes(call: PlayedCall) -> Iterator[str]:
    question, wishes = call.client.question, call.client.question.provider
    targets = [request.target for request in call.requests]
    providers = [request.provider.name for request in call.requests]
    is_single = not question.allows_fallbacks or wishes.get("allow_fallbacks") is False
    if is_single and len(set(targets)) > 1 and not _is_from_order(call):
        yield f"{targets} were tried, and the client wants no fallback"
    if "only" in wishes and not set(providers) <= set(wishes["only"]):
        yield f"{providers} were tried, and the client wants only {wishes['only']}"
    if "ignore" in wishes and set(providers) & set(wishes["ignore"]):
        yield f"{providers} were tried, and the client does not want {wishes['ignore']}"
    if "max_price" in wishes:
        most = wishes["max_price"]
        for request in call.requests:
            given, made = RATES[request.provider.name, request.asked.model]
            if given > Decimal(most["prompt"]) or made > Decimal(most["completion"]):
                yield f"{request.target} costs {given} and {made}, and the client's limit is {most}"


def _is_from_order(call: PlayedCall) -> bool:
    """Without fallbacks, those in the client's order may be tried."""
    order = call.client.question.provider.get("order", ())
    return all(request.provider.name in order for request in call.requests)
