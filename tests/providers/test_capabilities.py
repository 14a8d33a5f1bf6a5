"""The table of capabilities (docs/providers.md) and what the adapters do, for every kind."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from msgspec import Raw

from headway.errors import RequestError
from headway.providers import KINDS
from headway.providers.base import Provider
from headway.providers.capabilities import (
    CAPABILITIES,
    PARAMETERS,
    is_emulated,
    is_missing,
    unsupported_parameters,
)
from headway.providers.capability_rules import drop_unsupported, refuse_content
from headway.types import EmbeddingsRequest, HttpRequest, Target
from support.adapter_requests import chat
from support.for_each import for_each
from support.wire_rule_examples import FLAT_FORMAT, OBJECT, PDF_URL, PNG, function, text, user

HI = user([text("Answer in JSON.")])
AUDIO = {"data": b64encode(b"RIFF\x00\x00\x00\x00WAVE").decode(), "format": "wav"}
TOOLS = {"tools": [function("weather", OBJECT)]}
PARTS: dict[str, dict[str, Any]] = {
    "images": {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
    "documents": {"type": "file", "file": {"filename": "a.pdf", "file_data": PDF_URL}},
    "audio": {"type": "input_audio", "input_audio": AUDIO},
    "caching": {**text("Hi"), "cache_control": {"type": "ephemeral"}},
}
ASKED: dict[str, dict[str, Any]] = {
    "stream": {"stream": True},
    "tools": TOOLS,
    "tool_choice": {**TOOLS, "tool_choice": "required"},
    "json_object": {"response_format": {"type": "json_object"}},
    "json_schema": {"response_format": FLAT_FORMAT},
    "reasoning": {"reasoning_effort": "high"},
    "logprobs": {"logprobs": True, "top_logprobs": 2},
}
OF_RESPONSES = {"citations", "embeddings", "reasoning_replay"}
"""They are not asked for by a parameter or a content part. Citations and signed reasoning have
tests in the directory of each wire format."""
NON_REASONING = "a-model"
MODELS = {
    **dict.fromkeys(("anthropic", "vertex_anthropic"), "claude-sonnet-4-5"),
    "bedrock": "anthropic.claude-sonnet-4-5-20250929-v1:0",
    **dict.fromkeys(("gemini", "vertex"), "gemini-3-flash"),
}
REASONING_MODELS = {
    **dict.fromkeys(("openai", "openai_responses"), "gpt-5"),
    **dict.fromkeys(("azure_openai", "azure_openai_responses"), "gpt-5"),
}
REFUSED = {
    *((kind, "audio") for kind in ("anthropic", "vertex_anthropic", "cohere", "local")),
    *((kind, "documents") for kind in ("cohere", "ollama", "local")),
    ("local", "images"),
}
CASES = [(kind, name) for kind in KINDS for name in (*ASKED, *PARTS)]


def ask(kind: str, capability: str | None) -> tuple[HttpRequest, list[str]]:
    """The request to the provider, and its transformations, with or without the capability. Raises
    RequestError where the adapter refuses it."""
    provider = KINDS[kind]
    content = [*HI["content"], PARTS[capability]] if capability in PARTS else HI["content"]
    model = MODELS.get(kind, NON_REASONING)
    if capability == "reasoning":
        model = REASONING_MODELS.get(kind, model)
    parameters = ASKED.get(capability or "", {})
    adapted, transformations = provider.adapt(chat(model, [user(content)], **parameters))
    return provider.encode_request(adapted, target_of(provider)), [str(t) for t in transformations]


def target_of(provider: Provider) -> Target:
    base_url = provider.base_url or "https://upstream.example/v1"
    options = {"region": "us-east-1", "project": "p"}
    return Target(provider=provider.name, base_url=base_url, api_key="key", options=options)


@for_each(("kind", "capability"), CASES)
def test_what_is_asked_for_is_sent_refused_or_listed(kind: str, capability: str) -> None:
    provided = KINDS[kind].capabilities.get(capability, "").partition(":")[0]
    plain, before = ask(kind, None)
    if (kind, capability) in REFUSED:
        with pytest.raises(RequestError) as caught:
            ask(kind, capability)
        assert provided in ("", "partial")
        assert (caught.value.param or "").startswith("messages")
        return
    request, transformations = ask(kind, capability)
    told = [each for each in transformations if each not in before]
    is_sent = (request.url, request.body) != (plain.url, plain.body)
    if provided == "native":
        assert is_sent
        assert not any(each.startswith("dropped") for each in told)
    elif provided == "emulated":
        assert is_sent
        assert any(each.startswith("emulated") for each in told)
    elif provided == "partial":
        assert is_sent or told
    else:
        assert told or (is_sent and capability in PARTS)


@for_each("kind", KINDS)
def test_a_kind_has_embeddings_or_none(kind: str) -> None:
    provider = KINDS[kind]
    has_embeddings = "embeddings" in provider.capabilities
    assert has_embeddings is (provider.encode_embeddings is not None)
    assert has_embeddings is (provider.decode_embeddings is not None)
    if provider.encode_embeddings is not None:
        request = EmbeddingsRequest(model="amazon.titan-embed-text-v2:0", input=Raw(b'"Hi"'))
        assert b"Hi" in provider.encode_embeddings(request, target_of(provider)).body


def test_every_capability_has_a_test() -> None:
    assert {*ASKED, *PARTS, *OF_RESPONSES} == set(CAPABILITIES)
    assert set(PARAMETERS) <= set(ASKED)


def test_a_capability_is_missing_or_emulated_where_capabilities_are_known() -> None:
    some = {"tools": "native", "response_format": "emulated as a tool call"}
    assert [is_missing(name, some) for name in ("tools", "logprobs")] == [False, True]
    assert not is_missing("logprobs", {})
    names = ("tools", "response_format", "logprobs")
    assert [is_emulated(name, some) for name in names] == [False, True, False]


def test_the_parameters_of_missing_capabilities_are_unsupported() -> None:
    assert unsupported_parameters(dict.fromkeys(CAPABILITIES, "native")) == ()
    missing = unsupported_parameters({"tools": "native", "reasoning": "native"})
    assert missing == ("tool_choice", "function_call", "logprobs", "top_logprobs")


def test_a_parameter_that_asks_for_what_is_missing_is_dropped_and_listed() -> None:
    drop = drop_unsupported("The box", {"reasoning": "native", "logprobs": "native"})
    request = chat("m", [HI], **TOOLS, tool_choice="auto", seed=1)
    adapted, transformations = drop(request)
    assert list(adapted.parameters) == ["seed"]
    assert [str(each) for each in transformations] == [
        "dropped tools: unsupported by The box",
        "dropped tool_choice: unsupported by The box",
    ]
    assert drop(adapted) == (adapted, ())


@pytest.mark.parametrize("capability", ["images", "documents", "audio"])
def test_content_that_a_provider_lacks_is_refused_by_its_place(capability: str) -> None:
    messages = [{"role": "system", "content": "Hi"}, user([text("Hi"), PARTS[capability]])]
    request = chat("m", messages)
    with pytest.raises(RequestError, match=f"The box takes no {capability}") as caught:
        refuse_content("The box", {})(request)
    assert caught.value.param == "messages[1].content[1]"
    assert refuse_content("The box", {capability: "native"})(request) == (request, ())
    strings = chat("m", [user(["Hi", text("Hi")])])
    assert refuse_content("The box", {})(strings) == (strings, ())
