"""Which requests may be answered from the cache, and under which key. Pure.

A key is a digest of everything that determines an answer: the tenant, the model, the client's wire
format, and the fields of the request as canonical JSON (RFC 8785 without its rules for numbers:
members sorted, no white space). What an answer does not depend on is left out, such as the end
user, so that it is found again.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import msgspec
from msgspec import Raw, Struct

from headway.types import ChatRequest, EmbeddingsRequest, Headers, Request

KEY_BYTES = 20
CONTROL = b"cache-control"
TTL = b"x-headway-cache-ttl"
NEW_ANSWER = (CONTROL, b"no-cache, no-store")
"""A header for calls whose times are to be compared: a kept answer has none."""
IGNORED = frozenset(
    {
        "client_metadata", "metadata", "prompt_cache_key", "prompt_cache_retention",
        "safety_identifier", "service_tier", "store", "stream", "stream_options", "user",
    }
)  # fmt: skip
"""Fields that say who asks, or how the answer is to be sent, kept and billed."""
STATEFUL = frozenset({"background", "container", "conversation", "previous_response_id", "thread"})
"""Fields that refer to something outside of the request."""
TOOLS = frozenset({"tools", "functions", "toolConfig", "tool_config"})
WHOLE_REASONS = frozenset({"stop", "tool_calls", "function_call"})
"""Finish reasons of answers that are complete: neither cut off nor filtered."""
NO_FIELDS: Mapping[str, Raw] = {}

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(order="sorted").encode


class CacheControl(Struct, frozen=True, gc=False):
    """What a request says about the cache, in seconds (RFC 9111, section 5.2.1)."""

    no_store: bool = False
    """Its answer is not kept."""
    no_cache: bool = False
    """It wants a new answer."""
    max_age: float | None = None
    """The oldest answer that it takes."""
    ttl: float | None = None
    """How long its answer may be kept, whatever the configuration says."""


NO_CONTROL = CacheControl()


def names_ttl(headers: Headers) -> bool:
    """Whether the request says for how long its response may be kept."""
    return any(name == TTL for name, _ in headers)


def select_cache_headers(headers: Headers) -> Headers:
    """Those that ``read_cache_control`` reads; of most requests none. Names are in lower case."""
    return tuple([header for header in headers if header[0] == CONTROL or header[0] == TTL])


def read_cache_control(headers: Headers) -> CacheControl:
    """Names of headers are in lower case. A directive that is not understood is ignored, as RFC
    9111 (section 5.2.3) asks for."""
    if not headers:
        return NO_CONTROL
    values = [value for name, value in headers if name == CONTROL]
    ttl = next((_seconds(value) for name, value in headers if name == TTL), None)
    if not values:
        return NO_CONTROL if ttl is None else CacheControl(ttl=ttl)
    directives = {}
    for directive in b",".join(values).split(b","):
        name, _, value = directive.partition(b"=")
        directives[name.strip().lower()] = value.strip(b' "\t')
    return CacheControl(
        b"no-store" in directives,
        b"no-cache" in directives,
        _seconds(directives.get(b"max-age", b"")),
        ttl,
    )


def _seconds(value: bytes) -> float | None:
    """A whole number of them, as ``delta-seconds`` are."""
    digits = value.strip()
    return float(digits) if digits.isdigit() and len(digits) <= 10 else None


def fields_of(request: Request) -> Mapping[str, Raw]:
    """The fields of the client's body, but for messages in OpenAI's chat format and inputs."""
    return request.parameters if request.native is None else request.native.fields


def is_stateless(request: Request) -> bool:
    """Whether the answer depends on nothing but the request. A form is not read for it."""
    is_form = not isinstance(request, ChatRequest | EmbeddingsRequest) and request.form is not None
    return not is_form and STATEFUL.isdisjoint(fields_of(request))


def offers_tools(request: Request) -> bool:
    return not TOOLS.isdisjoint(fields_of(request))


def is_deterministic(request: Request) -> bool:
    """The temperature is 0: the same request is meant to have the same answer."""
    raw = fields_of(request).get("temperature")
    return raw is not None and _temperature(raw) == 0


def _temperature(raw: Raw) -> object:
    try:
        return _decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None


def make_cache_key(request: Request, *, tenant: str, target: str, wire: str) -> bytes | None:
    """``tenant`` is who may get the answer again, ``target`` what answers: the name of a route, or
    a provider with its model and address; ``wire`` the client's format. None for a request that is
    no valid JSON."""
    try:
        fields = {name: _decode(raw) for name, raw in _determining(request).items()}
        content = _encode([tenant, target, wire, type(request).__name__, fields, *_more(request)])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return blake2b(content, digest_size=KEY_BYTES).digest()


def _determining(request: Request) -> dict[str, Raw]:
    fields = {name: raw for name, raw in fields_of(request).items() if name not in IGNORED}
    if request.native is None:
        if isinstance(request, ChatRequest):
            fields["messages"] = request.messages
        elif isinstance(request, EmbeddingsRequest):
            fields["input"] = request.input
    return fields


def _more(request: Request) -> list[object]:
    """Headers and the query of a native request, and the operation of a relayed one."""
    if request.native is not None:
        return [request.native.headers, request.native.query]
    return [] if isinstance(request, ChatRequest | EmbeddingsRequest) else [request.operation]
