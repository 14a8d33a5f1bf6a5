"""A vendor of an OpenAI-compatible API: everything in which it differs from OpenAI, as a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from headway.errors import UpstreamError
from headway.events import Embeddings
from headway.providers.base import no_conditions
from headway.providers.model_lists import OPENAI, ModelList
from headway.providers.openai.completions import Completions
from headway.providers.openai.embeddings import decode_embeddings, encode_embeddings
from headway.providers.openai_compatible.errors import ErrorFormat
from headway.providers.openai_compatible.reasoning import ReasoningSupport
from headway.providers.openai_compatible.request_rules import RequestRules
from headway.providers.openai_compatible.request_transforms import RequestTransform
from headway.providers.openai_compatible.response_transforms import (
    EventTransform,
    ResponseInterceptor,
)
from headway.providers.operations import Operation
from headway.providers.sdk_env import Variable
from headway.providers.wire_rules import Rule
from headway.types import ChatRequest, EmbeddingsRequest, Headers, HttpRequest, Target


class AddressOption(Struct, frozen=True):
    """A configuration key from which the base URL is made."""

    name: str
    meaning: str
    """Completes "``name`` is ..." in the documentation."""
    template: str
    """The base URL, with ``{}`` in place of the value."""


class Vendor(Struct, frozen=True, kw_only=True):
    """A module in ``vendors/`` has one as ``VENDOR``; the module's name is the vendor's."""

    title: str
    """The name that people know it by."""
    order: int = 1000
    """Lists of providers show vendors by this number, then by name."""
    base_url: str | None = None
    """None: ``address_option`` makes it."""
    key_env: str | None = None
    """The environment variable that holds the key by convention. None: no key is needed."""
    environ: Mapping[str, Variable] = {}
    """``base_url``, or an option -> the environment variable that the vendor's SDK reads for it."""
    address_option: AddressOption | None = None
    price_id: str | None = None
    """Its id in the price data."""
    price_conditions: Callable[[str, Mapping[str, Any], str], Mapping[str, str]] = no_conditions
    """As in ``base.Provider``."""
    wire: str = "openai_chat"
    """The default passes streams on to OpenAI clients as they are. A vendor whose streams these
    clients cannot read has another name here: its streams are converted."""

    wire_rules: tuple[Rule, ...] = ()
    """Where it differs from OpenAI in the subjects of ``wire_rules.SUBJECTS``."""
    request_transforms: tuple[RequestTransform, ...] = ()
    """Applied in order: those of ``wire_rules``, ``reasoning``, these, ``request_rules``."""
    reasoning: tuple[ReasoningSupport, ...] = ()
    """The first whose pattern is found in the model's name is used."""
    request_rules: RequestRules = RequestRules()
    encode_request: Callable[[ChatRequest, Target], HttpRequest] | None = None
    """None: OpenAI's."""

    response_interceptor: ResponseInterceptor | None = None
    transform_body: Callable[[bytes], bytes] | None = None
    """Applied to a body that is not a stream, before OpenAI's decoder."""
    event_transforms: tuple[EventTransform, ...] = ()
    errors: ErrorFormat = ErrorFormat()
    decode_error: Callable[[int, Headers, bytes], UpstreamError] | None = None
    """None: by ``errors``."""

    completions: Completions | None = None
    """None: it has no legacy completions, or none that it documents for its models."""
    model_list: ModelList | None = OPENAI
    key_check: Callable[[Target], HttpRequest] | None = None
    """As of ``Provider``."""
    encode_embeddings: Callable[[EmbeddingsRequest, Target], HttpRequest] = encode_embeddings
    decode_embeddings: Callable[[bytes], Embeddings] = decode_embeddings
    operations: Mapping[str, Operation] = {}
    """As in ``base.Provider``."""
    prefill_models: str | None = None
    """As of ``Provider``."""
    takes_routing_fields: bool = False
    """As of ``Provider``."""
    capabilities: Mapping[str, str] = {}
    """As in ``base.Provider``. The functions for embeddings are used if it names ``embeddings``."""


TOOLS = {"stream": "native", "tools": "native", "tool_choice": "native", "json_object": "native"}
OPEN_MODELS = {
    **TOOLS,
    "images": "native: depends on the model",
    "json_schema": "native",
    "reasoning": "partial: the text of models that reason",
    "logprobs": "native",
}
"""Capabilities that servers of open models have in common; some depend on the model. These servers
accept ``max_tokens`` and ``max_completion_tokens`` alike unless their rules rename one, report
usage in a last chunk on request, and return reasoning in ``reasoning`` or ``reasoning_content``."""
OPEN_MODEL_SERVER = {**OPEN_MODELS, "embeddings": "native"}
"""``OPEN_MODELS`` with embeddings."""
CACHE_READS = "partial: automatic; reports tokens read"
"""The capability ``caching`` of vendors that cache without markers."""
