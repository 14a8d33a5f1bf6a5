"""Requests whose client speaks Anthropic's format: its fields as they are, with our key, model and
feature headers.

``adapt`` removes what another provider made and Claude would refuse: reasoning that is sealed or
has no signature, citations of another search, and characters that Claude's ids have not. Every
other byte stays, because any change before a signature makes it invalid and misses prompt caches.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.providers.anthropic.request import (
    API_VERSION,
    beta_features,
    encode,
    encode_request,
)
from headway.providers.base import Adapted
from headway.providers.http_headers import Pairs, request_headers
from headway.providers.token_counts import TokenCount, fields_of, moved, read_count
from headway.providers.transformations import dropped, emulated
from headway.types import NO_RAW, ChatRequest, HttpRequest, NativeRequest, Target, Transformation
from headway.wire.sealed_reasoning import MARKER, is_sealed
from headway.wire.url import join

VERSION, BETA = "anthropic-version", "anthropic-beta"
FOREIGN = re.compile(
    rb'"signature"\s*:\s*""|"encrypted_index"\s*:\s*""|'
    + re.escape(MARKER)
    + rb'|"(?:tool_use_)?id"\s*:\s*"[^"]*[^a-zA-Z0-9_"-]'
)
"""What messages have that need an edit. Most have not, and are not decoded."""
INVALID_IN_ID = re.compile(r"[^a-zA-Z0-9_-]")
"""Ids of calls must match ^[a-zA-Z0-9_-]+$; other vendors' have dots and colons."""
REASONING = dropped("messages[].content[].thinking", "another provider's reasoning")
CITATIONS = dropped("messages[].content[].citations", "another provider's search")
IDS = emulated("messages[].content[].id", "with characters that Claude takes")
ID_FIELDS = ("id", "tool_use_id")
EMPTY_SIGNATURES = (b"", b'""', b"null")

Block = dict[str, Raw]
Noted = dict[Transformation, None]

_messages = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_blocks = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_text = msgspec.json.Decoder(str | None).decode
_any = msgspec.json.Decoder().decode


class Citation(Struct):
    encrypted_index: str | None = None


_citations = msgspec.json.Decoder(list[Citation]).decode


def encode_native(request: ChatRequest, target: Target) -> HttpRequest:
    """A request to the Claude API."""
    return _http_request(request, target, "/messages")


def encode_count(request: ChatRequest, target: Target) -> HttpRequest:
    """A request for the number of its tokens
    (platform.claude.com/docs/en/api/messages/count_tokens)."""
    request = replace(request, stream=False)
    if request.native is not None:
        return _http_request(request, target, "/messages/count_tokens")
    sent = encode_request(request, target)
    return moved(sent, f"{sent.url.path}/count_tokens", fields_of(sent, ("model", *COUNTED)))


COUNTED = ("messages", "system", "tools", "tool_choice", "thinking", "output_config")
"""The fields that have tokens; others are refused there."""
COUNT = TokenCount(encode_count, partial(read_count, "input_tokens"))


def _http_request(request: ChatRequest, target: Target, path: str) -> HttpRequest:
    native = _native(request)
    fields: dict[str, Any] = {"model": request.model, **native.fields}
    if request.stream:
        fields["stream"] = True
    path = path if target.base_url.rstrip("/").endswith("/v1") else "/v1" + path
    path += f"?{native.query}" if native.query else ""
    headers = native_headers(request, target, (("x-api-key", target.api_key),))
    return HttpRequest(join(target.base_url, path), headers, encode(fields))


def native_headers(
    request: ChatRequest, target: Target, authorization: tuple[tuple[str, str | None], ...]
) -> Pairs:
    """Our own headers and the client's features; its version, unless the configuration has one."""
    features = dict(_native(request).headers)
    version = target.options.get("api_version") or features.pop(VERSION, API_VERSION)
    features[VERSION] = str(version)
    beta = ",".join(merged_betas(request, target))
    features[BETA] = beta
    known = tuple((name, value) for name, value in (*features.items(), *authorization) if value)
    return request_headers(known, tuple(target.headers.items()), request.stream)


def merged_betas(request: ChatRequest, target: Target) -> list[str]:
    """The client's beta features, and those of the configuration that it lacks."""
    given = dict(_native(request).headers).get(BETA, "")
    names = [*given.split(","), *beta_features(target.options)]
    return [name for name in dict.fromkeys(map(str.strip, names)) if name]


def _native(request: ChatRequest) -> NativeRequest:
    assert request.native is not None
    return request.native


# --- What other providers made --------------------------------------------------------------------


def adapt(request: ChatRequest) -> Adapted:
    """Raises msgspec.MsgspecError for messages that are no list of objects."""
    if FOREIGN.search(bytes(request.messages)) is None:
        return request, ()
    noted: Noted = {}
    edited = [_edited(message, noted) for message in _messages(request.messages)]
    if not noted:
        return request, ()
    messages = Raw(encode([message for message in edited if message is not None]))
    native = _native(request)
    native = replace(native, fields={**native.fields, "messages": messages})
    return replace(request, messages=messages, native=native), tuple(noted)


def _edited(message: Block, noted: Noted) -> Block | None:
    """None for a message of which nothing is left."""
    content = message.get("content", NO_RAW)
    if bytes(content)[:1] != b"[":
        return message
    blocks = _blocks(content)
    kept = [_edited_block(block, noted) for block in blocks if not _is_foreign(block, noted)]
    if kept == blocks:
        return message
    return {**message, "content": Raw(encode(kept))} if kept else None


def _is_foreign(block: Block, noted: Noted) -> bool:
    kind = _text(block.get("type", Raw(b"null")))
    if kind == "thinking":
        signature = block.get("signature", NO_RAW)
        is_foreign = bytes(signature) in EMPTY_SIGNATURES or is_sealed(_any(signature))
    else:
        is_foreign = kind == "redacted_thinking" and is_sealed(_any(block.get("data", b"null")))
    if is_foreign:
        noted[REASONING] = None
    return is_foreign


def _edited_block(block: Block, noted: Noted) -> Block:
    for name in ID_FIELDS:
        if name in block:
            block = _with_valid_id(block, name, noted)
    if bytes(block.get("citations", NO_RAW)).startswith(b"["):
        found = _citations(block["citations"])
        if any(citation.encrypted_index == "" for citation in found):
            noted[CITATIONS] = None
            return {name: raw for name, raw in block.items() if name != "citations"}
    return block


def _with_valid_id(block: Block, name: str, noted: Noted) -> Block:
    given = _any(block[name])
    if not isinstance(given, str) or INVALID_IN_ID.search(given) is None:
        return block
    noted[IDS] = None
    return {**block, name: Raw(encode(INVALID_IN_ID.sub("_", given)))}
