"""The errors for providers and models that this gateway does not have, which say what to do."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from urllib.parse import urlsplit

from headway.errors import MissingProvider, UnknownProvider
from headway.pipeline.gateway import Snapshot, Upstream
from headway.providers import ALIASES, FACTS

ADDRESS = "base_url"
MAX_LENGTH = 64
"""Characters of a name that others are compared with: the time grows with its length."""
MAX_MODELS = 3
SAME_START = 2
UNLISTED = (
    " Others can be called with a key of your own: GET /api/engine/providers?all=1 lists them."
)


def unknown_provider(snapshot: Snapshot, name: str, model: str | None = None) -> UnknownProvider:
    """``model`` is what the client asked for behind ``name``: the name of a model may have slashes
    itself."""
    found = snapshot.upstreams.get(name)
    if found is not None:  # it lacks an address
        return UnknownProvider(_how_to_configure(found), param="provider", provider=name)
    listed = ", ".join(sorted(snapshot.names())) or "none"
    if name in FACTS:
        problem = f"{name} is not among the providers that this gateway serves (providers.only)"
        return UnknownProvider(f"{problem}; configured are: {listed}.", param="provider")
    similar = _similar_providers(snapshot, name)
    if not similar and model is not None:
        similar = _providers_of(snapshot, f"{name}/{model}")
    known = f"{_did_you_mean(similar)} Configured" if similar else "configured"
    unlisted = UNLISTED if snapshot.unlisted else ""
    message = f"No provider is called {_shortened(name)!r}; {known} are: {listed}.{unlisted}"
    return UnknownProvider(message, param="provider")


def with_suggestion(error: MissingProvider, snapshot: Snapshot) -> MissingProvider:
    """``error`` with the providers whose model has the name that the client sent, or with similar
    names: those of the configuration first."""
    similar = (
        _providers_of(snapshot, error.model)
        or [
            *_similar(error.model, snapshot.aliases.exact, 1),
            *_similar_models(snapshot, error.model),
        ][:MAX_MODELS]
    )
    if similar:
        error.message = f"{error.message.removesuffix('.')}; {_did_you_mean(similar)}"
    return error


def _how_to_configure(upstream: Upstream) -> str:
    """For a server of one's own. Its default address is no good example: it may be that of the
    gateway."""
    name, address = upstream.name, urlsplit(upstream.base_url or "")
    variable = FACTS[upstream.provider.name].environ.get(ADDRESS)
    in_environment = f", or {variable.name} in its environment" if variable else ""
    example = f"{address.scheme}://HOST:{address.port}{address.path}"
    return (
        f"{name} is a server of your own, and none is configured: set providers.{name}.{ADDRESS}"
        f" in the gateway's configuration, such as {example}{in_environment}."
    )


def _similar_providers(snapshot: Snapshot, name: str) -> list[str]:
    """Among the names of providers, and those of kinds that are served."""
    kinds = [kind for kind in (*FACTS, *ALIASES) if kind in snapshot.upstreams]
    return _similar(name, {*snapshot.upstreams, *kinds}, 1)


def _similar_models(snapshot: Snapshot, name: str) -> list[str]:
    """Among those that begin in the same way: to compare with thousands takes too long."""
    start = name[:SAME_START].lower()
    first: dict[str, str] = {}
    for provider, model in known_models(snapshot):
        if model[:SAME_START].lower() == start:
            first.setdefault(model, f"{provider}/{model}")
    return [first[model] for model in _similar(name, first, MAX_MODELS)]


def _providers_of(snapshot: Snapshot, model: str) -> list[str]:
    """The models with exactly this name, each with its provider."""
    same = (f"{provider}/{name}" for provider, name in known_models(snapshot) if name == model)
    return list(islice(same, MAX_MODELS))


def known_models(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """Name of the provider and the model, of those that can be used."""
    for name in snapshot.names():
        upstream = snapshot.upstreams[name]
        provider = upstream.provider
        known = upstream.models or (
            *provider.models,
            *snapshot.prices.iter_names(provider.price_id),
            *(model for operation in provider.operations.values() for model in operation.models),
        )
        yield from ((name, model) for model in known)


def _similar(name: str, known: Collection[str], count: int) -> list[str]:
    from difflib import get_close_matches  # needed for wrong names only

    if len(name) > MAX_LENGTH:
        return []
    spellings = {each.lower(): each for each in sorted(known)}
    found = get_close_matches(name.lower(), spellings, n=count)
    return [spellings[each] for each in found]


def _did_you_mean(names: list[str]) -> str:
    *first, last = names
    return f"did you mean {', '.join(first)} or {last}?" if first else f"did you mean {last}?"


def _shortened(name: str) -> str:
    return name if len(name) <= MAX_LENGTH else f"{name[:MAX_LENGTH]}..."
