"""The interface of a provider's adapter: a value with four pure functions and a few facts.

Rules: no I/O, clock, environment, logging or randomness in any of the functions. They index freely:
the pipeline turns LookupError, TypeError, ValueError and msgspec's errors into UpstreamGarbled, in
one place. Unknown frames give no events; the pipeline reports a stream that ends without Finished.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.errors import UpstreamError
from headway.events import Embeddings, Event, ResponseSummary
from headway.providers.model_lists import ModelList
from headway.providers.native_api import NativeApi
from headway.providers.operations import Operation
from headway.providers.rate_limits import COMMON, RateLimitHeaders
from headway.providers.token_counts import TokenCount
from headway.providers.wire_rules import Adapted, Rule
from headway.types import (
    ChatRequest,
    EmbeddingsRequest,
    Frame,
    Headers,
    HttpRequest,
    Parameter,
    Target,
)
from headway.wire.framer import Framer
from headway.wire.json_repair import repair_json
from headway.wire.sse import SseFramer

__all__ = ("Adapted", "OtherWire", "Provider", "State", "unchanged")

NO_CONDITIONS: Mapping[str, str] = {}
State = dict[str, Any]
"""The state of a decoder in one stream: empty at its first event."""


def no_conditions(base_url: str, options: Mapping[str, Any], model: str) -> Mapping[str, str]:
    return NO_CONDITIONS


def unchanged(request: ChatRequest) -> Adapted:
    return request, ()


class OtherWire(msgspec.Struct, frozen=True):
    """The same provider over another of its wire formats, for clients of that format."""

    provider: Provider
    """Its ``wire`` is that format; it has ``encode_native``."""
    serves: Callable[[str, Mapping[str, Any]], bool]
    """(model, options of the provider) -> whether it has this format for the model."""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of provider: pure functions for its wire format, and its facts."""

    name: str
    """The kind, as the configuration names it."""
    title: str
    """The name that people know it by."""
    base_url: str | None
    """None: the configuration, or a launcher, must give one."""
    key_env: str | None
    """The environment variable that holds the key by convention. None: no key is needed."""
    wire: str
    """The name of its wire format: clients of the same format get the provider's bytes."""
    encode_request: Callable[[ChatRequest, Target], HttpRequest]
    encode_native: Callable[[ChatRequest, Target], HttpRequest] | None = None
    """Encodes a request whose ``native`` is of this wire format, as the client sent it. None: such
    a request is converted, as those of other formats are."""
    adapt_native: Callable[[ChatRequest], Adapted] = unchanged
    """For ``encode_native``: removes from ``native`` what this provider would refuse because
    another made it, such as signatures of reasoning."""
    has_custom_tools: bool = False
    """It takes OpenAI's custom tools; others get functions (``custom_tools``)."""
    other_wires: Mapping[str, OtherWire] = {}
    """Wire format of a client -> this provider in that format, where it has several."""
    token_count: TokenCount | None = None
    """How to ask for the number of tokens of a request. None: the gateway counts them."""
    decode_response: Callable[[bytes], list[Event]]
    decode_event: Callable[[Frame, State], list[Event]]
    decode_error: Callable[[int, Headers, bytes], UpstreamError]
    summarize: Callable[[bytes], ResponseSummary | None] | None = None
    """A fast path instead of ``decode_response`` for a body that is passed on unchanged: its
    summary, if it is one text with finish reason and usage. None for any other body."""
    read_text: Callable[[bytes], str | None] | None = None
    """A fast path instead of ``decode_event`` for the data of a frame, after the first, that
    decodes to one text of the first choice: that text. None for any other frame. Only for adapters
    that change no state at such a frame."""
    read_relayed_text: Callable[[bytes], str | None] | None = None
    """``read_text`` for frames that are passed through only: the adapter may miss at such a frame
    what a client of another wire format would see, such as the length of the texts so far."""
    texts_have_usage: bool = False
    """The frames that ``read_relayed_text`` reads have the usage so far, each that of all before
    it: the last of several in a row is decoded, too."""
    text_event: str | None = None
    """The name of the frames that either of them reads; None for those without a name."""
    repair_event: Callable[[bytes], bytes | None] = repair_json
    """The data of a frame over which ``decode_event`` failed, with stand-ins for what is no whole
    character (``wire.json_repair``). None: it cannot be repaired."""
    adapt: Callable[[ChatRequest], Adapted] = unchanged
    wire_rules: tuple[Rule, ...] = ()
    """What it does with requests that OpenAI accepts and this provider refuses: docs/wire-rules.md
    has a row for each. ``adapt`` applies their transforms (``wire_rules.with_rules``)."""
    framer: Callable[[], Framer] = SseFramer
    encode_embeddings: Callable[[EmbeddingsRequest, Target], HttpRequest] | None = None
    decode_embeddings: Callable[[bytes], Embeddings] | None = None
    operations: Mapping[str, Operation] = {}
    """Its routes for images, audio, moderations and reranking: name in ``operations.OPERATIONS`` ->
    how it is called."""
    sign: Callable[[HttpRequest, Target, float], HttpRequest] | None = None
    """(request, target, unix seconds) -> the request with its signature. Called last."""
    credentials: str | None = None
    """The kind of credential source that fills ``Target.credentials``: google, entra or aws."""
    price_id: str | None = None
    """Its id in the price data."""
    price_conditions: Callable[[str, Mapping[str, Any], str], Mapping[str, str]] = no_conditions
    """(base URL, options, model asked for) -> what in them decides the price, such as the region of
    the endpoint: the conditions of ``metering.cost``."""
    price_headers: Mapping[bytes, str] = {}
    """Headers of the response that tell a condition -> its name."""
    rate_limits: RateLimitHeaders = COMMON
    """The headers in which it tells its rate limits."""
    parameters: tuple[Parameter, ...] = ()
    models: tuple[str, ...] = ()
    """Models to list in addition to those of the price data."""
    model_pattern: str | None = None
    """A regular expression that matches the beginning of the names of this kind's models in the
    price data, for kinds that share a price list. None: all are this kind's."""
    prefill_models: str | None = None
    """A regular expression that matches the beginning of the names of models which continue a last
    message of the assistant (prefill), where ``adapt`` does not say that it must be emulated. None:
    none does, or it is not known."""
    list_models: ModelList | None = None
    """How to fetch its list of models. None: it has none, or none that is supported."""
    key_check: Callable[[Target], HttpRequest] | None = None
    """A request that costs nothing and is refused without a right key, where the list of models is
    not that. Raises ValueError for an unusable address."""
    takes_routing_fields: bool = False
    """It chooses among providers itself, by the fields of ``policy.routing_fields``."""
    native: NativeApi = NativeApi()
    """Its own API, for requests that are passed through as they are."""
    launch: str | None = None
    """The launcher that starts it on this machine, by name."""
    options: Mapping[str, str] = {}
    """Further configuration keys of this kind -> their meaning."""
    secrets: frozenset[str] = frozenset()
    """The secret ``options``: never printed, and used for the configured address only."""
    capabilities: Mapping[str, str] = {}
    """Name in ``capabilities.CAPABILITIES`` -> native, emulated or partial, and a note after a
    colon where there are limits. The provider lacks the capabilities that are not named."""

    def parameters_of(self, model: str | None) -> tuple[Parameter, ...]:
        """The parameters that a model accepts, with the names that it accepts."""
        if model is None:
            return self.parameters
        given = {spec.id: _sample(spec) for spec in self.parameters}
        request = ChatRequest(
            model=model, messages=Raw(b"[]"), parameters=given, uses_default_parameters=True
        )
        sent = self.adapt(request)[0].parameters
        renamed = [name for name in sent if name not in given]
        accepted = []
        for spec in self.parameters:
            if spec.id in sent:
                accepted.append(spec)
            elif renamed and renamed[0].startswith(spec.id.partition("_")[0]):
                accepted.append(replace(spec, id=renamed.pop(0)))
        return tuple(accepted)


def _sample(spec: Parameter) -> Raw:
    """A value within the parameter's range."""
    value = spec.min if spec.default is None else spec.default
    return Raw(msgspec.json.encode(value))
