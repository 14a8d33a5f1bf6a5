"""What in a request only one provider understands, because it is kept there or was encrypted there:
such a request must not go to another one. Found in its bytes, without decoding them."""

from __future__ import annotations

import re

from msgspec import Struct

from headway.types import ChatRequest, Request
from headway.wire.sealed_reasoning import MARK

FIELDS = ("previous_response_id", "conversation", "container", "cachedContent")
"""Fields that name something which the provider keeps."""
EMPTY = (b"null", b'""')
INPUTS = ("input", "messages", "contents")
"""Fields with the conversation, in the names of all formats."""
_NOT_SEALED = rb"(?!%b)" % MARK.encode()
BOUND: tuple[tuple[bytes, re.Pattern[bytes], str], ...] = (
    (b'"encrypted_content"', re.compile(rb'"encrypted_content"\s*:\s*"' + _NOT_SEALED),
     "encrypted reasoning"),
    (b'"item_reference"', re.compile(rb'"type"\s*:\s*"item_reference"'), "an item reference"),
    (b'"file_id"', re.compile(rb'"file_id"\s*:\s*"'), "a file id"),
    (b'/files/', re.compile(rb'"file_?[uU]ri"\s*:\s*"https://generativelanguage\.'), "a file"),
)  # fmt: skip
"""A text that is always there, the exact pattern, and what it means: only its provider can read
it. The reasoning that Headway itself has sealed goes to any provider."""
PREFERRED: tuple[tuple[bytes, re.Pattern[bytes], str], ...] = (
    (b'"signature"', re.compile(rb'"signature"\s*:\s*"' + _NOT_SEALED + rb'[^"]'),
     "signed reasoning"),
    (b'"redacted_thinking"', re.compile(rb'"redacted_thinking"'), "redacted reasoning"),
    (b'ought', re.compile(rb'"thought_?[sS]ignature"\s*:\s*"' + _NOT_SEALED),
     "signed reasoning"),
)  # fmt: skip
"""What another provider does without, so that it may follow where the first one fails."""


class ProviderState(Struct, frozen=True):
    what: str
    """In words, for the reason why a target is passed over."""
    is_bound: bool
    """No other provider can answer the request at all."""


FILE = ProviderState("a file id", True)
"""All that OpenAI's chat format has of this kind: adapters know which reasoning is their own."""


def find_provider_state(request: Request) -> ProviderState | None:
    """None: any provider can answer it."""
    if not isinstance(request, ChatRequest):
        return None
    if request.native is None:
        is_file = bytes(request.messages).find(b'"file_id"') >= 0
        return FILE if is_file else None
    fields = request.native.fields
    for name in FIELDS:
        if name in fields and bytes(fields[name]) not in EMPTY:
            return ProviderState(name, True)
    conversation = b"".join(bytes(fields[name]) for name in INPUTS if name in fields)
    for text, pattern, what in BOUND:
        if conversation.find(text) >= 0 and pattern.search(conversation):
            return ProviderState(what, True)
    for text, pattern, what in PREFERRED:
        if conversation.find(text) >= 0 and pattern.search(conversation):
            return ProviderState(what, False)
    return None
