"""What is known of a target before it is called, and why a request cannot use it.

What is unknown counts as suitable: the provider will tell.
"""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from headway.routing.route import RouteTarget
from headway.routing.routed_request import RoutedRequest
from headway.routing.wishes import NO_WISHES, Wishes

NOTHING: frozenset[str] = frozenset()
NEEDS = {
    "tools": "has no tools",
    "images": "takes no images",
    "documents": "takes no documents",
    "audio": "takes no audio",
    "json_schema": "follows no JSON schema",
    "json_object": "has no JSON mode",
    "reasoning": "does not reason",
    "logprobs": "has no log probabilities",
}
"""What a request may need -> what is said of a target that lacks it."""


class TargetFacts(Struct, frozen=True, kw_only=True):
    unusable: str | None = None
    """Why it cannot be called at all: there is no such provider, or no key for it."""
    names: frozenset[str] = NOTHING
    """The configured name of its provider, and the kind."""
    lacks: frozenset[str] = NOTHING
    """Of ``NEEDS`` what its provider lacks, or what cannot be sent to it."""
    may_lack: frozenset[str] = NOTHING
    """Of ``NEEDS`` what its model lacks by the data that ships, which may be out of date."""
    operations: frozenset[str] | None = None
    """What its provider can be asked for beside chat; None: unknown."""
    context_window: int | None = None
    """Tokens of the longest input, by the same data."""
    input_usd: float | None = None
    """Dollars per million tokens. None: unknown. Likewise for the output."""
    output_usd: float | None = None
    keys: tuple[str, ...] = ()
    """The ids of its provider's keys (``provider_keys.ProviderKey``)."""


NO_FACTS = TargetFacts()


class Skipped(Struct, frozen=True):
    """A target that is not tried."""

    target: RouteTarget
    reason: str
    """In words that follow the target's name."""


def find_refusal(
    target: RouteTarget, facts: TargetFacts, request: RoutedRequest, wishes: Wishes = NO_WISHES
) -> str | None:
    """Why the target cannot or must not answer the request, but for the length of the prompt; None:
    it can."""
    if facts.unusable is not None:
        return facts.unusable
    if target.condition is not None:
        unmet = target.condition.unmet(request)
        if unmet is not None:
            return f"is for requests with: {unmet}"
    if facts.lacks and not request.needs.isdisjoint(facts.lacks):
        return _say(facts.lacks & request.needs)
    if _lacks_operation(facts, request.operation):
        return f"has no {request.operation}"
    return None if wishes is NO_WISHES else _against_wishes(facts, wishes)


def _lacks_operation(facts: TargetFacts, operation: str) -> bool:
    known = facts.operations
    return operation != "chat" and known is not None and operation not in known


def find_doubt(target: RouteTarget, facts: TargetFacts, request: RoutedRequest) -> str | None:
    """Why the target will probably not be able to answer the request: by data that may be out of
    date, or by an estimate. What the configuration says of the target counts before that."""
    if facts.may_lack and not request.needs.isdisjoint(facts.may_lack):
        lacking = (facts.may_lack & request.needs) - target.supports
        if lacking:
            return _say(lacking)
    window = target.context_window or facts.context_window
    if window is not None and request.input_tokens > window:
        return f"takes {window} tokens, and the prompt has about {request.input_tokens}"
    return None


def _against_wishes(facts: TargetFacts, wishes: Wishes) -> str | None:
    if wishes.only and facts.names.isdisjoint(wishes.only):
        return "is not in the request's provider.only"
    if wishes.ignore and not facts.names.isdisjoint(wishes.ignore):
        return "is in the request's provider.ignore"
    if wishes.order and not wishes.allows_fallbacks and facts.names.isdisjoint(wishes.order):
        return "is not in the request's provider.order, which allows no fallbacks"
    return _too_expensive("prompt", facts.input_usd, wishes.max_input_usd) or _too_expensive(
        "completion", facts.output_usd, wishes.max_output_usd
    )


def _too_expensive(name: str, price: float | None, most: float | None) -> str | None:
    if most is None:
        return None
    if price is None:
        return f"has no known price, and the request a provider.max_price.{name}"
    if price <= most:
        return None
    return f"costs {price:g} a million tokens, above the request's provider.max_price.{name}"


def _say(lacking: Collection[str]) -> str:
    return " and ".join(NEEDS[need] for need in NEEDS if need in lacking)
