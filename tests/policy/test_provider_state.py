from __future__ import annotations

import json
from typing import Any

from msgspec import Raw

from headway.policy.provider_state import find_provider_state
from headway.types import ChatRequest, EmbeddingsRequest, NativeRequest
from headway.wire.sealed_reasoning import seal
from support.for_each import for_each

KEPT_FILE = "https://generativelanguage.googleapis.com/v1beta/files/1"
SEALED = seal([{"type": "reasoning.text"}])


def raw(value: Any) -> Raw:
    return Raw(json.dumps(value).encode())


def thinking(signature: str) -> list[Any]:
    block = {"type": "thinking", "thinking": "Hm", "signature": signature}
    return [{"role": "assistant", "content": [block]}]


def reasoning(encrypted: str) -> list[Any]:
    return [{"type": "reasoning", "encrypted_content": encrypted}]


NATIVE: list[tuple[dict[str, Any], tuple[str, bool] | None]] = [
    ({"previous_response_id": "resp_1", "input": "Hi"}, ("previous_response_id", True)),
    ({"previous_response_id": None, "input": "Hi"}, None),
    ({"conversation": "conv_1"}, ("conversation", True)),
    ({"container": "c_1", "messages": []}, ("container", True)),
    ({"cachedContent": "cachedContents/1", "contents": []}, ("cachedContent", True)),
    ({"input": reasoning("gAAAA")}, ("encrypted reasoning", True)),
    ({"input": reasoning(SEALED)}, None),
    ({"input": [{"type": "item_reference", "id": "rs_1"}]}, ("an item reference", True)),
    ({"input": [{"type": "input_file", "file_id": "file-1"}]}, ("a file id", True)),
    ({"contents": [{"parts": [{"fileData": {"fileUri": KEPT_FILE}}]}]}, ("a file", True)),
    ({"contents": [{"parts": [{"fileData": {"fileUri": "https://x.org/files/1"}}]}]}, None),
    ({"messages": thinking("EqQB")}, ("signed reasoning", False)),
    ({"messages": thinking("")}, None),
    ({"messages": thinking(SEALED)}, None),
    ({"messages": [{"content": [{"type": "redacted_thinking"}]}]}, ("redacted reasoning", False)),
    ({"contents": [{"parts": [{"thoughtSignature": "CgI"}]}]}, ("signed reasoning", False)),
    ({"contents": [{"parts": [{"thought_signature": "CgI"}]}]}, ("signed reasoning", False)),
    ({"contents": [{"parts": [{"thoughtSignature": SEALED}]}]}, None),
    ({"input": 'What is "encrypted_content": in JSON?'}, None),
]  # fmt: skip


@for_each(("fields", "expected"), NATIVE)
def test_what_only_one_provider_understands_is_found(
    fields: dict[str, Any], expected: tuple[str, bool] | None
) -> None:
    native = NativeRequest("w", {name: raw(value) for name, value in fields.items()})
    request = ChatRequest(model="m", messages=Raw(b"[]"), native=native)
    found = find_provider_state(request)
    assert (None if found is None else (found.what, found.is_bound)) == expected


def test_a_request_in_openais_chat_format_may_refer_to_files() -> None:
    content = [{"type": "file", "file": {"file_id": "file-1"}}]
    request = ChatRequest(model="m", messages=raw([{"role": "user", "content": content}]))
    found = find_provider_state(request)
    assert found is not None
    assert (found.what, found.is_bound) == ("a file id", True)
    assert find_provider_state(ChatRequest(model="m", messages=raw([]))) is None


def test_only_chats_refer_to_anything() -> None:
    assert find_provider_state(EmbeddingsRequest(model="m", input=raw("previous"))) is None
