"""Requests of Google's own clients to Google."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from headway.providers.gemini.provider import PROVIDER as GEMINI
from headway.providers.vertex.gemini import PROVIDER as VERTEX
from headway.types import ChatRequest, NativeRequest, Target
from headway.wire.sealed_reasoning import seal

TARGET = Target(provider="gemini", base_url="https://g.test/v1beta", api_key="key")
FOREIGN = seal([{"type": "reasoning.text", "text": "Hm"}])
DROPPED = "dropped contents[].parts[].thoughtSignature: another provider made it"
SKIPPED = "emulated contents[].parts[].functionCall: by skipping the check of thought signatures"
SKIP = "skip_thought_signature_validator"


def native(contents: Any, model: str = "gemini-2.5-pro", **more: Any) -> ChatRequest:
    text = contents if isinstance(contents, bytes) else msgspec.json.encode(contents)
    fields = {"contents": Raw(text), "odd": Raw(b'{"a":1.50}')}
    request = NativeRequest("gemini", fields, (("x-server-timeout", "9"),))
    return ChatRequest(model=model, messages=Raw(text), native=request, **more)


@pytest.mark.parametrize(("stream", "method"), [(False, "generate"), (True, "streamGenerate")])
def test_the_body_is_sent_as_it_is(stream: bool, method: str) -> None:
    sent = GEMINI.encode_native(native(b'[{"parts": [ ]}]', stream=stream), TARGET)
    assert sent.body == b'{"contents":[{"parts": [ ]}],"odd":{"a":1.50}}'
    path = f"/v1beta/models/gemini-2.5-pro:{method}Content"
    assert sent.url.path == path + ("?alt=sse" if stream else "")
    assert ("x-server-timeout", "9") in sent.headers
    assert ("x-goog-api-key", "key") in sent.headers


def test_vertex_has_its_own_address() -> None:
    target = Target(provider="vertex", base_url="", api_key="key")
    sent = VERTEX.encode_native(native([]), target)
    assert sent.url.path == "/v1/publishers/google/models/gemini-2.5-pro:generateContent"
    assert ("x-server-timeout", "9") in sent.headers


def call(**fields: Any) -> Any:
    return {"functionCall": {"name": "f", "args": {}}, **fields}


CLEAN: list[tuple[str, Any, Any, list[str]]] = [
    ("2.5-pro", [call()], [call()], []),
    ("3-pro", [{"text": "a"}], [{"text": "a"}], []),
    ("3-pro", [call(thoughtSignature="c2ln")], [call(thoughtSignature="c2ln")], []),
    ("2.5-pro", [call(thoughtSignature=FOREIGN)], [call()], [DROPPED]),
    ("2.5-pro", [call(thought_signature=FOREIGN), 1], [call(), 1], [DROPPED]),
    (
        "3-pro",
        [call(thoughtSignature=FOREIGN), call()],
        [call(thoughtSignature=SKIP), call()],
        [DROPPED, SKIPPED],
    ),
    ("3-pro", [call(), call()], [call(thoughtSignature=SKIP), call()], [SKIPPED]),
    (
        "2.5-pro",
        [{"text": "a"}, {"text": "", "thoughtSignature": FOREIGN}, {"text": ""}],
        [{"text": "a"}, {"text": ""}],
        [DROPPED],
    ),
]


@pytest.mark.parametrize(("model", "parts", "cleaned", "told"), CLEAN)
def test_signatures_of_other_providers_are_left_out(
    model: str, parts: Any, cleaned: Any, told: list[str]
) -> None:
    adapted, transformations = GEMINI.adapt_native(
        native([{"role": "model", "parts": parts}], f"gemini-{model}")
    )
    assert adapted.native is not None
    fields = adapted.native.fields
    assert json.loads(bytes(fields["contents"])) == [{"role": "model", "parts": cleaned}]
    assert list(map(str, transformations)) == told
    assert list(fields) == ["contents", "odd"]


@pytest.mark.parametrize("contents", [[1], {"parts": 1}, 2, [[{"role": "user"}]]])
def test_what_is_not_in_googles_shape_stays(contents: Any) -> None:
    given = [contents, {"parts": [{"text": "a", "thoughtSignature": FOREIGN}]}]
    adapted, _ = GEMINI.adapt_native(native(given))
    assert adapted.native is not None
    cleaned = json.loads(bytes(adapted.native.fields["contents"]))
    assert cleaned == [contents, {"parts": [{"text": "a"}]}]
