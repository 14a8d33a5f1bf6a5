"""What a provider is: a value with four pure functions and a few facts.

Rules: no I/O, clock, environment, logging or randomness in any of the functions. They index freely:
the pipeline turns LookupError, TypeError, ValueError and msgspec's errors into UpstreamGarbled, in
one place. Unknown frames give no events; a stream without its finish is the pipeline's error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.errors import UpstreamError
from headway.providers.model_lists import ModelList
from headway.types import (
    ChatRequest,
    Embeddings,
    EmbeddingsRequest,
    Event,
    Frame,
    Headers,
    HttpRequest,
    Parameter,
    Summary,
    Target,
    Transformation,
)
from headway.wire.framer import Framer
from headway.wire.sse import SseFramer

State = dict[str, Any]
"""What a decoder remembers between two events of one stream: fresh for every stream."""

Adapted = tuple[ChatRequest, tuple[Transformation, ...]]
"""The request as this provider can take it, and what was changed in it."""


def unchanged(request: ChatRequest) -> Adapted:
    return request, ()


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    """The kind, as the configuration names it."""
    title: str
    """The name that people know it by."""
    base_url: str | None
    """None: the configuration, or a launcher, must give one."""
    key_env: str | None
    """The environment variable that holds its key by custom. None: it needs no key."""
    wire: str
    """The name of its wire format: a client that speaks the same gets the provider's own bytes."""
    encode_request: Callable[[ChatRequest, Target], HttpRequest]
    decode_response: Callable[[bytes], list[Event]]
    decode_event: Callable[[Frame, State], list[Event]]
    decode_error: Callable[[int, Headers, bytes], UpstreamError]
    summarize: Callable[[bytes], Summary | None] | None = None
    """Of a whole answer that is passed on as it is, which ``decode_response`` would read too: one
    text with its finish and its usage. None for any other body."""
    read_text: Callable[[bytes], str | None] | None = None
    """Of a frame's data that ``decode_event`` would read as one text of the first choice: that
    text. None for any other. Only where decoding needs no state once it has begun."""
    adapt: Callable[[ChatRequest], Adapted] = unchanged
    framer: Callable[[], Framer] = SseFramer
    encode_embeddings: Callable[[EmbeddingsRequest, Target], HttpRequest] | None = None
    decode_embeddings: Callable[[bytes], Embeddings] | None = None
    sign: Callable[[HttpRequest, Target, float], HttpRequest] | None = None
    """Last, with the time in unix seconds: for signatures over the whole request."""
    credentials: str | None = None
    """The kind of credential source that fills ``Target.credentials``: google, entra or aws."""
    price_id: str | None = None
    """Its id in the price data."""
    parameters: tuple[Parameter, ...] = ()
    models: tuple[str, ...] = ()
    """Models to list beside those of the price data."""
    model_pattern: str | None = None
    """A regular expression that begins the names of the models, among those of the price data, that
    this kind speaks to. None: all. Kinds that share a price list take their part of it."""
    list_models: ModelList | None = None
    """How to get its own list of its models. None: it has none, or none that is read."""
    launch: str | None = None
    """The launcher that starts it on this machine, by name."""
    options: Mapping[str, str] = {}
    """Further configuration keys of this kind, and what each means."""
    secrets: frozenset[str] = frozenset()
    """Those of ``options`` that are secret: never shown, and never sent, nor signed with, where the
    configuration did not say to."""
    capabilities: Mapping[str, str] = {}
    """Name in ``capabilities.CAPABILITIES`` -> native, emulated or partial, and a note after a
    colon where there are limits. The provider lacks the capabilities that are not named."""

    def parameters_of(self, model: str | None) -> tuple[Parameter, ...]:
        """The parameters that a model takes, under the names that it takes them by."""
        if model is None:
            return self.parameters
        given = {spec.id: _sample(spec) for spec in self.parameters}
        asked = ChatRequest(
            model=model, messages=Raw(b"[]"), parameters=given, uses_default_parameters=True
        )
        taken = self.adapt(asked)[0].parameters
        renamed = [name for name in taken if name not in given]
        kept = []
        for spec in self.parameters:
            if spec.id in taken:
                kept.append(spec)
            elif renamed and renamed[0].startswith(spec.id.partition("_")[0]):
                kept.append(replace(spec, id=renamed.pop(0)))
        return tuple(kept)


def _sample(spec: Parameter) -> Raw:
    """A value that is surely within its range."""
    value = spec.min if spec.default is None else spec.default
    return Raw(msgspec.json.encode(value))
