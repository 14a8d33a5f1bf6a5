"""The rows of the table: what each vendor refuses, and how its address is found."""

from __future__ import annotations

import json
from pkgutil import iter_modules
from typing import Any

import pytest
from msgspec import Raw

from headway.errors import InvalidField
from headway.providers import FACTS, KINDS
from headway.providers.openai_compatible import vendors
from headway.types import ChatRequest, EmbeddingsRequest, Target

HI = [{"role": "user", "content": "Hi"}]
DEFAULTS = {
    "temperature": 1,
    "max_tokens": 2048,
    "top_p": 1,
    "frequency_penalty": 0,
    "presence_penalty": 0,
}
NAMES = [info.name.rstrip("_") for info in iter_modules(vendors.__path__)]
OWN_WIRES = {"openrouter", "perplexity", "databricks", "cloudflare", "llamafile", "tgi"}
"""Those whose streams a client of OpenAI would not bear."""


def asked(
    model: str = "m",
    messages: list[Any] | None = None,
    uses_default_parameters: bool = False,
    **parameters: Any,
) -> ChatRequest:
    return ChatRequest(
        model=model,
        messages=Raw(json.dumps(messages or HI).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in parameters.items()},
        uses_default_parameters=uses_default_parameters,
        stream=True,
    )


def sent(kind: str, request: ChatRequest) -> tuple[dict[str, Any], list[str]]:
    """The parameters that go out, beside the stream's own, and what is said of them."""
    provider = KINDS[kind]
    adapted, changes = provider.adapt(request)
    target = Target(provider=kind, base_url="http://127.0.0.1:1/v1")
    body = json.loads(provider.encode_request(adapted, target).body)
    for name in ("model", "messages", "stream", "stream_options"):
        body.pop(name, None)
    return body, [f"{change.action} {change.parameter}" for change in changes]


# vendor, model, parameters, what they become, what is said of it
CASES: list[tuple[str, str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("groq", "m", {"top_k": 5, "logprobs": None, "seed": 1}, {"seed": 1}, ["dropped top_k"]),
    ("groq", "m", {"n": 2}, {"n": 1}, ["clamped n"]),
    ("groq", "m", {"n": 1}, {"n": 1}, []),
    ("groq", "m", {"search_settings": {}}, {"search_settings": {}}, []),
    ("deepseek", "deepseek-reasoner", {"logprobs": True}, {}, ["dropped logprobs"]),
    ("deepseek", "deepseek-chat", {"logprobs": True}, {"logprobs": True}, []),
    ("deepseek", "m", {"thinking": {"type": "enabled"}}, {"thinking": {"type": "enabled"}}, []),
    ("xai", "grok-4", {"stop": ["a"], "reasoning_effort": "low"}, {"reasoning_effort": "low"},
     ["dropped stop"]),
    ("xai", "grok-3-mini", {"reasoning_effort": "low", "presence_penalty": 1},
     {"reasoning_effort": "low"}, ["dropped presence_penalty"]),
    ("xai", "grok-4.3", {"reasoning": {"effort": "none"}}, {"reasoning_effort": "none"},
     ["renamed reasoning"]),
    ("xai", "grok-4.20-reasoning", {"reasoning_effort": "low"}, {}, ["dropped reasoning_effort"]),
    ("xai", "grok-4-fast-non-reasoning", {"stop": ["a"]}, {"stop": ["a"]}, []),
    ("xai", "grok-2-1212", {"stop": ["a"], "logit_bias": {"1": 1}}, {"stop": ["a"]},
     ["dropped logit_bias"]),
    ("openrouter", "m", {"reasoning": {"max_tokens": 9}}, {"reasoning": {"max_tokens": 9}}, []),
    ("together", "m", {"max_completion_tokens": 9}, {"max_tokens": 9},
     ["renamed max_completion_tokens"]),
    ("fireworks", "m", {"store": True, "top_k": 5}, {"top_k": 5}, ["dropped store"]),
    ("perplexity", "sonar", {"frequency_penalty": 0, "presence_penalty": 0.5, "seed": 1},
     {"presence_penalty": 0.5}, ["dropped seed"]),
    ("perplexity", "sonar", {"temperature": 2}, {"temperature": 1.99}, ["clamped temperature"]),
    ("cerebras", "m", {"frequency_penalty": 1, "top_k": 5}, {"frequency_penalty": 1},
     ["dropped top_k"]),
    ("moonshot", "kimi-k2.6", {"temperature": 0.3, "max_tokens": 5}, {"max_tokens": 5},
     ["dropped temperature"]),
    ("moonshot", "moonshot-v1-8k", {"temperature": 1.5}, {"temperature": 1},
     ["clamped temperature"]),
    ("zai", "glm-5", {"temperature": 1.5}, {"temperature": 1}, ["clamped temperature"]),
    ("dashscope", "qwen", {"top_p": 0}, {"top_p": 0.001}, ["clamped top_p"]),
    ("minimax", "m", {"temperature": 0}, {"temperature": 0.01}, ["clamped temperature"]),
    ("ai21", "m", {"presence_penalty": 1}, {}, ["dropped presence_penalty"]),
    ("tgi", "m", {"top_p": 1, "temperature": 0.5}, {"temperature": 0.5}, []),
    ("tgi", "m", {"top_p": 0.9}, {"top_p": 0.9}, []),
    ("vllm", "m", {"guided_json": {}, "min_p": 0.1}, {"guided_json": {}, "min_p": 0.1}, []),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "model", "given", "wanted", "said"), CASES)
def test_a_vendor_is_sent_what_it_takes(
    kind: str, model: str, given: dict[str, Any], wanted: dict[str, Any], said: list[str]
) -> None:
    assert sent(kind, asked(model, **given)) == (wanted, said)


@pytest.mark.parametrize("kind", NAMES)
def test_our_own_defaults_go_without_a_word(kind: str) -> None:
    body, said = sent(kind, asked(uses_default_parameters=True, **DEFAULTS))
    assert said == []
    assert body.items() <= DEFAULTS.items()
    assert body["max_tokens"] == 2048


@pytest.mark.parametrize("kind", ["deepseek", "zai"])
def test_a_schema_is_told_where_there_is_json_mode_alone(kind: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    adapted, changes = KINDS[kind].adapt(asked(response_format=wanted))
    assert bytes(adapted.parameters["response_format"]) == b'{"type":"json_object"}'
    assert [change.action for change in changes] == ["emulated"]
    first, last = json.loads(bytes(adapted.messages))
    assert first == HI[0]
    assert json.loads(last["content"].partition("\n")[2]) == schema
    json_mode = {"type": "json_object"}
    assert KINDS[kind].adapt(asked(response_format=json_mode))[1] == ()


# vendor, a message, what it becomes, what is said of it
MESSAGES: list[tuple[str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("groq", {"role": "assistant", "content": "a", "reasoning_content": "hm", "refusal": None},
     {"role": "assistant", "content": "a", "reasoning": "hm"},
     ["renamed messages[].reasoning_content"]),
    ("groq", {"role": "user", "content": "a", "name": "n"}, {"role": "user", "content": "a"},
     ["dropped messages[].name"]),
    ("cerebras",
     {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {}}]},
     {"role": "user", "content": [{"type": "text", "text": "a"}]},
     ["dropped messages[].content[].cache_control"]),
    ("deepseek", {"role": "developer", "content": "a"}, {"role": "system", "content": "a"},
     ["renamed developer"]),
    ("deepseek", {"role": "assistant", "content": "a", "reasoning_content": "hm"},
     {"role": "assistant", "content": "a", "reasoning_content": "hm"}, []),
    ("openrouter", {"role": "developer", "content": "a"}, {"role": "developer", "content": "a"},
     []),
    ("openrouter", {"role": "assistant", "content": "a", "reasoning_details": [{}]},
     {"role": "assistant", "content": "a", "reasoning_details": [{}]}, []),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "given", "wanted", "said"), MESSAGES)
def test_a_vendor_is_sent_messages_that_it_takes(
    kind: str, given: dict[str, Any], wanted: dict[str, Any], said: list[str]
) -> None:
    adapted, changes = KINDS[kind].adapt(asked(messages=[given, given]))
    assert json.loads(bytes(adapted.messages)) == [wanted, wanted]
    assert [f"{change.action} {change.parameter}" for change in changes] == said


def test_usage_is_asked_for_except_of_those_who_do_not_know_the_word() -> None:
    for kind in NAMES:
        target = Target(provider=kind, base_url="http://127.0.0.1:1/v1")
        body = json.loads(KINDS[kind].encode_request(asked(), target).body)
        expected = None if kind == "ai21" else {"include_usage": True}
        assert body.get("stream_options") == expected, kind


def test_only_sound_streams_are_relayed() -> None:
    assert {name for name in NAMES if KINDS[name].wire != "openai_chat"} == OWN_WIRES
    wires = [KINDS[name].wire for name in OWN_WIRES]
    assert len(set(wires)) == len(wires)


def test_every_vendor_is_a_kind() -> None:
    assert len(NAMES) == 34
    assert set(NAMES) <= set(KINDS)


PLACES = [
    ("cloudflare", {"account_id": "a1"}, "api.cloudflare.com", "/client/v4/accounts/a1/ai/v1"),
    ("databricks", {"workspace": "dbc.example"}, "dbc.example", "/serving-endpoints"),
]


@pytest.mark.parametrize(("kind", "options", "host", "path"), PLACES)
def test_an_address_is_made_of_what_the_configuration_says(
    kind: str, options: dict[str, str], host: str, path: str
) -> None:
    provider = KINDS[kind]
    target = Target(provider=kind, base_url="", options=options)
    url = provider.encode_request(asked(), target).url
    assert (url.host, url.path) == (host, f"{path}/chat/completions")
    assert provider.encode_embeddings is not None
    url = provider.encode_embeddings(EmbeddingsRequest(model="m", input=Raw(b'"a"')), target).url
    assert (url.host, url.path) == (host, f"{path}/embeddings")
    own = Target(provider=kind, base_url="http://127.0.0.1:1/v1", options=options)
    assert provider.encode_request(asked(), own).url.host == "127.0.0.1"


@pytest.mark.parametrize(("kind", "options", "host", "path"), PLACES)
def test_a_missing_address_is_named(
    kind: str, options: dict[str, str], host: str, path: str
) -> None:
    (option,) = options
    variable = FACTS[kind].environ[option].name
    with pytest.raises(InvalidField, match=f"set {variable} in .*, or {option} or base_url") as no:
        KINDS[kind].encode_request(asked(), Target(provider=kind, base_url=""))
    assert no.value.param == option
