"""What the body of a request asks of its routing, in the fields that OpenRouter's clients send:
``models`` and ``provider`` (openrouter.ai/docs, Provider Routing and Model Fallbacks).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from headway.errors import InvalidField

MODELS, PROVIDER = "models", "provider"
ROUTING_FIELDS = frozenset({MODELS, PROVIDER})
MAX_NAMES = 32
"""Names in a list."""
MAX_NAME_LENGTH = 512
"""Characters."""
Sort = Literal["price", "latency", "throughput"]
SORTS = ("price", "latency", "throughput")
KNOWN = (
    "order", "only", "ignore", "sort", "max_price", "allow_fallbacks", "require_parameters"
)  # fmt: skip
PRICES = ("prompt", "completion")
NAMES = "a list of at most 32 names of providers, by their configured names or their kinds"
_decode = msgspec.json.Decoder().decode


class RoutingFields(Struct, frozen=True, kw_only=True):
    models: tuple[str, ...] = ()
    """The models to try after ``model``, as clients name models."""
    order: tuple[str, ...] = ()
    """Names of providers, or of their kinds, in lower case; likewise the next two."""
    only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    sort: Sort | None = None
    max_prompt_usd: float | None = None
    """Dollars per million tokens; likewise the next."""
    max_completion_usd: float | None = None
    allows_fallbacks: bool = True
    requires_parameters: bool = False
    """Only targets that get all parameters of the request."""


def read_routing_fields(fields: Mapping[str, Raw]) -> RoutingFields:
    """Raises InvalidField, for what only OpenRouter itself can do, too."""
    provider = _value(fields, PROVIDER)
    if provider is None:
        provider = {}
    if not isinstance(provider, dict):
        raise _wrong(PROVIDER, 'an object such as {"order": ["openai"], "sort": "price"}')
    for name in provider:
        if name not in KNOWN:
            raise InvalidField(
                f"`provider.{name}` is nothing that this gateway can do: it knows "
                f"{', '.join(KNOWN)}. Leave it out.",
                param=f"provider.{name}",
            )
    prompt, completion = _prices(provider.get("max_price"))
    return RoutingFields(
        models=_names(_value(fields, MODELS), MODELS, "a list of at most 32 names of models"),
        order=_providers(provider, "order"),
        only=_providers(provider, "only"),
        ignore=_providers(provider, "ignore"),
        sort=_sort(provider.get("sort")),
        max_prompt_usd=prompt,
        max_completion_usd=completion,
        allows_fallbacks=_flag(provider, "allow_fallbacks", default=True),
        requires_parameters=_flag(provider, "require_parameters", default=False),
    )


def _value(fields: Mapping[str, Raw], name: str) -> Any:
    raw = fields.get(name)
    try:
        return None if raw is None else _decode(raw)
    except RecursionError:
        raise InvalidField(f"`{name}` is nested too deeply.", param=name) from None


def _providers(provider: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = _names(provider.get(name), f"{PROVIDER}.{name}", NAMES)
    return tuple(each.lower() for each in found)


def _names(given: Any, path: str, expected: str) -> tuple[str, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > MAX_NAMES:
        raise _wrong(path, expected)
    for at, name in enumerate(given):
        if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME_LENGTH:
            raise _wrong(f"{path}[{at}]", "a name of 1 to 512 characters")
    return tuple(given)


def _sort(given: Any) -> Any:
    """A word, or an object with it as ``by``."""
    if isinstance(given, dict):
        for name in given:
            if name != "by":
                path = f"{PROVIDER}.sort.{name}"
                message = f"`{path}` is nothing that this gateway can do. Leave it out."
                raise InvalidField(message, param=path)
        given = given.get("by")
    if given is not None and given not in SORTS:
        raise _wrong(f"{PROVIDER}.sort", "price, latency or throughput")
    return given


def _prices(given: Any) -> tuple[float | None, float | None]:
    if given is None:
        return None, None
    path = f"{PROVIDER}.max_price"
    if not isinstance(given, dict):
        raise _wrong(path, 'an object such as {"prompt": 1, "completion": 2}')
    for name in given:
        if name not in PRICES:
            message = f"`{path}.{name}` cannot be compared: give prompt or completion."
            raise InvalidField(message, param=f"{path}.{name}")
    return _price(given, "prompt"), _price(given, "completion")


def _price(given: Mapping[str, Any], name: str) -> float | None:
    """A number, also in a string."""
    value = given.get(name)
    if value is None:
        return None
    try:
        price = float(value) if not isinstance(value, bool) else -1.0
    except (TypeError, ValueError, OverflowError):
        price = -1.0
    if not 0.0 <= price <= 1e6:
        raise _wrong(f"{PROVIDER}.max_price.{name}", "dollars per million tokens, from 0 on")
    return price


def _flag(provider: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = provider.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise _wrong(f"{PROVIDER}.{name}", "true or false")
    return value


def _wrong(path: str, expected: str) -> InvalidField:
    return InvalidField(f"`{path}` must be {expected}.", param=path)
