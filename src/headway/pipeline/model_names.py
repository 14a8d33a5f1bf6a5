"""Which provider and model a client means by the ``model`` of its request.

``provider/model`` is the rule. Clients that were written for one vendor send the vendor's own name:
it means the provider that has a model of this name. An operator may give other names (``models`` in
the configuration).
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET
from msgspec.structs import replace

from headway.dialects.base import DecodedRequest
from headway.errors import AmbiguousModel, HeadwayError, MissingProvider
from headway.pipeline.gateway import Named, Snapshot, Upstream
from headway.pipeline.provider_calls import select_wire_format
from headway.pipeline.unknown_names import known_models, unknown_provider, with_suggestion
from headway.routing.route import Route

PARAM = "model"
MAX_KEPT = 1024
"""Names whose meaning is kept: to search thousands of models for one takes a millisecond."""
MAX_LENGTH = 512


def find_upstream(
    snapshot: Snapshot, decoded: DecodedRequest, wire: str | None
) -> tuple[Upstream, DecodedRequest]:
    """The provider of a request, in the client's wire format if it has that, and the request with
    the name of the provider. ``wire`` is the dialect's. Raises what ``resolve`` raises."""
    upstream = snapshot.upstreams.get(decoded.provider)
    if decoded.model_name is not None and (
        upstream is None or decoded.model_name in snapshot.aliases.exact
    ):
        decoded = resolve(snapshot, decoded, wire)
        upstream = snapshot.upstreams.get(decoded.provider)
    if upstream is None or (upstream.lacks_address and not decoded.base_url):
        raise unknown_provider(snapshot, decoded.provider, decoded.request.model)
    request = decoded.request
    if request.native is not None:
        upstream = select_wire_format(upstream, request.native.wire, request.model)
    return upstream, decoded


def find_route(snapshot: Snapshot, decoded: DecodedRequest) -> Route | None:
    """The route that a request names; None where it names one model."""
    name, routes = decoded.model_name, snapshot.routes
    if name is None:
        return None
    route = routes.exact.get(name)
    if route is not None or not routes.needs_search:
        return route
    return find_named_route(snapshot, name)


def find_named_route(snapshot: Snapshot, name: str) -> Route | None:
    """The route of this name, as ``find_route`` finds it."""
    route = snapshot.routes.exact.get(name)
    if route is not None or not snapshot.routes.needs_search or name in snapshot.aliases.exact:
        return route
    found = snapshot.resolved_routes.get(name, UNSET)
    if found is UNSET:
        found = _search_route(snapshot, name)
        if len(snapshot.resolved_routes) < MAX_KEPT and len(name) <= MAX_LENGTH:
            snapshot.resolved_routes[name] = found
    return found


def _search_route(snapshot: Snapshot, name: str) -> Route | None:
    """As ``find`` finds a model, so that both find the same."""
    if split(snapshot, name) is not None:
        return None
    is_matched, route = snapshot.routes.match(name)
    if is_matched or snapshot.routes.unknown is None:
        return route
    is_known = any(model == name for _, model in known_models(snapshot))
    return None if is_known else snapshot.routes.unknown


def resolve(snapshot: Snapshot, decoded: DecodedRequest, wire: str | None) -> DecodedRequest:
    """``decoded`` with the provider and the model that its ``model_name`` means, which is none of
    a provider's. ``wire`` is the dialect's wire format. Raises MissingProvider, AmbiguousModel,
    UnknownProvider."""
    key = wire, decoded.model_name or ""
    named = snapshot.resolved_models.get(key)
    if named is None:
        named = find(snapshot, key[1], wire)
        if len(snapshot.resolved_models) < MAX_KEPT and len(key[1]) <= MAX_LENGTH:
            snapshot.resolved_models[key] = named
    provider, model = named
    request = replace(decoded.request, model=model)
    return replace(decoded, provider=provider, request=request)


def find(snapshot: Snapshot, name: str, wire: str | None = None) -> Named:
    """Raises what ``resolve`` raises."""
    aliases = snapshot.aliases
    target = aliases.exact.get(name)
    if target is None and (named := split(snapshot, name)) is not None:
        return named
    target = target or aliases.match(name)
    if target is not None:
        return _target(snapshot, target)
    having = [provider for provider, model in known_models(snapshot) if model == name]
    candidates = _narrowed(snapshot, having, wire)
    if len(candidates) == 1:
        return candidates[0], name
    if candidates:
        raise _ambiguous(name, candidates)
    if aliases.unknown is not None:
        return _target(snapshot, aliases.unknown)
    raise _unknown(snapshot, name)


def split(snapshot: Snapshot, name: str) -> Named | None:
    """The parts of ``provider/model``, if there is such a provider."""
    provider, slash, model = name.partition("/")
    upstream = snapshot.upstreams.get(provider) if slash and model else None
    return None if upstream is None or upstream.lacks_address else (provider, model)


def _target(snapshot: Snapshot, target: str) -> Named:
    """Raises UnknownProvider for an alias whose provider is not served any more."""
    named = split(snapshot, target)
    if named is None:
        provider, _, model = target.partition("/")
        raise unknown_provider(snapshot, provider, model)
    return named


def _narrowed(snapshot: Snapshot, names: Sequence[str], wire: str | None) -> list[str]:
    """Of several providers those that have a key, and of these those of the client's own wire
    format. Of several kinds at one address the first: they are one vendor with one key."""
    found = {name: snapshot.upstreams[name] for name in names}
    upstreams = {name: one for name, one in found.items() if one.has_key is not False} or found
    same = [name for name, one in upstreams.items() if one.provider.wire == wire]
    if same:
        return same
    by_address: dict[str, str] = {}
    for name, one in upstreams.items():
        by_address.setdefault(one.base_url or name, name)
    return list(by_address.values())


def find_all(snapshot: Snapshot, name: str) -> list[Named]:
    """Every provider that has a model of this name, those with a key if there are any. Of several
    kinds at one address the first."""
    having = [provider for provider, model in known_models(snapshot) if model == name]
    return [(provider, name) for provider in _narrowed(snapshot, having, None)]


def _ambiguous(name: str, providers: Sequence[str]) -> HeadwayError:
    choices = ", ".join(f"{provider}/{name}" for provider in providers)
    return AmbiguousModel(
        f"Several providers have a model {name!r}: send one of {choices}, or let the gateway's "
        f"configuration say which (models.{name}).",
        param=PARAM,
    )


def _unknown(snapshot: Snapshot, name: str) -> HeadwayError:
    provider, slash, model = name.partition("/")
    if provider and slash and model:
        return unknown_provider(snapshot, provider, model)
    error = MissingProvider(
        f"`model` must be provider/model, such as openai/gpt-4o-mini; it is {name!r}.", param=PARAM
    )
    error.model = name
    return with_suggestion(error, snapshot)
