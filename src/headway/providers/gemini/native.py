"""Requests of Google's own clients: sent as they are, but for signatures that are not Google's."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.providers.base import Adapted
from headway.providers.gemini.models import requires_signatures
from headway.providers.gemini.thought_signatures import SKIP_VALIDATION
from headway.providers.transformations import dropped, emulated
from headway.types import ChatRequest, NativeRequest, Transformation
from headway.wire.sealed_reasoning import MARK, is_sealed

SIGNATURES = ("thoughtSignature", "thought_signature")
CALLS = ("functionCall", "function_call")
DROPPED = dropped("contents[].parts[].thoughtSignature", "another provider made it")
SKIPPED = emulated("contents[].parts[].functionCall", "by skipping the check of thought signatures")
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode

Fields = dict[str, Any]


def native_of(request: ChatRequest) -> NativeRequest:
    assert request.native is not None  # the pipeline calls this only for such requests
    return request.native


def encode_native_body(request: ChatRequest) -> bytes:
    return _encode(native_of(request).fields)


def adapt_native(request: ChatRequest) -> Adapted:
    """The request without the reasoning of other providers in its signatures. A function call that
    needs one, and has none, gets the signature that Google documents for calls of other models."""
    contents = bytes(native_of(request).fields.get("contents", b""))
    needs_signatures = requires_signatures(request.model)
    is_foreign = MARK.encode() in contents
    lacks_all = needs_signatures and _has(contents, CALLS) and not _has(contents, SIGNATURES)
    if not is_foreign and not lacks_all:
        return request, ()
    cleaner = _Cleaner(needs_signatures)
    cleaned = Raw(_encode(cleaner.clean(_decode(contents))))
    native = native_of(request)
    fields = {name: cleaned if name == "contents" else raw for name, raw in native.fields.items()}
    return replace(request, native=replace(native, fields=fields)), tuple(cleaner.transformations)


def _has(data: bytes, names: tuple[str, ...]) -> bool:
    return any(b'"%b"' % name.encode() in data for name in names)


class _Cleaner:
    def __init__(self, needs_signatures: bool) -> None:
        self._needs_signatures = needs_signatures
        self.transformations: dict[Transformation, None] = {}

    def clean(self, contents: Any) -> Any:
        """Contents in any other shape than Google's stay as they are: Google refuses them."""
        if isinstance(contents, list):
            return [self.clean(content) for content in contents]
        if not isinstance(contents, dict) or not isinstance(contents.get("parts"), list):
            return contents
        parts: list[Any] = []
        is_first_call = True
        for part in contents["parts"]:
            cleaned = self._clean_part(part, is_first_call) if isinstance(part, dict) else part
            is_first_call = is_first_call and not _is_call(cleaned)
            if cleaned != {"text": ""} or cleaned == part:
                parts.append(cleaned)
        return {**contents, "parts": parts}

    def _clean_part(self, part: Fields, is_first_call: bool) -> Fields:
        kept = dict(part)
        for name in SIGNATURES:
            if isinstance(kept.get(name), str) and is_sealed(kept[name]):
                del kept[name]
                self.transformations[DROPPED] = None
        lacks_signature = not any(name in kept for name in SIGNATURES)
        if self._needs_signatures and is_first_call and _is_call(kept) and lacks_signature:
            kept[SIGNATURES[0]] = SKIP_VALIDATION
            self.transformations[SKIPPED] = None
        return kept


def _is_call(part: Any) -> bool:
    return isinstance(part, dict) and any(name in part for name in CALLS)
