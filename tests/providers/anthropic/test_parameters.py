"""OpenAI's parameters become Anthropic's, and the transformations say how."""

from __future__ import annotations

from typing import Any

import pytest

from headway.errors import RequestError
from headway.providers.anthropic.provider import PROVIDER
from support.anthropic_requests import (
    HI,
    call,
    chat,
    sent,
    text,
    user,
)
from support.for_each import for_each

# what it shows, model, parameters, fields of the body, transformations
PARAMETERS: list[tuple[str, str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("parameters with the same name", "sonnet-4-5",
     {"temperature": 0.5, "top_k": 3, "mcp_servers": [{}]},
     {"temperature": 0.5, "top_k": 3, "mcp_servers": [{}]}, []),
    ("null counts as not given", "sonnet-4-5", {"temperature": None, "stop": None, "seed": None},
     {}, []),
    ("one stop sequence", "sonnet-4-5", {"stop": "x"}, {"stop_sequences": ["x"]},
     ["renamed stop -> stop_sequences"]),
    ("several stop sequences", "sonnet-4-5", {"stop": ["x", "y"]}, {"stop_sequences": ["x", "y"]},
     ["renamed stop -> stop_sequences"]),
    ("a temperature above the maximum", "sonnet-4-5", {"temperature": 1.7}, {"temperature": 1},
     ["clamped temperature: 1.7 -> 1 (maximum)"]),
    ("a model that takes one of two sampling parameters", "sonnet-4-5",
     {"temperature": 1, "top_p": 0.5}, {"temperature": 1},
     ["dropped top_p: unsupported by claude-sonnet-4-5 together with temperature"]),
    ("a model that takes both", "3-haiku-20240307", {"temperature": 1, "top_p": 0.5},
     {"temperature": 1, "top_p": 0.5}, []),
    ("a model that takes no sampling parameters", "opus-5",
     {"temperature": 1, "top_p": 0.5, "top_k": 1}, {},
     [f"dropped {name}: unsupported by claude-opus-5" for name in
      ("temperature", "top_p", "top_k")]),
    ("unsupported parameters", "sonnet-4-5", {"seed": 7, "n": 2, "logit_bias": {}}, {},
     [f"dropped {name}: unsupported by Anthropic" for name in ("seed", "n", "logit_bias")]),
    ("values without effect", "sonnet-4-5",
     {"n": 1, "frequency_penalty": 0.0, "logprobs": False, "store": False,
      "stream_options": {"include_usage": True}}, {}, []),
    ("a user", "sonnet-4-5", {"user": "u"}, {"metadata": {"user_id": "u"}},
     ["renamed user -> metadata.user_id"]),
    ("metadata", "sonnet-4-5", {"metadata": {"user_id": "u", "b": "1", "a": "2"}},
     {"metadata": {"user_id": "u"}},
     ["dropped metadata.a: unsupported by Anthropic",
      "dropped metadata.b: unsupported by Anthropic"]),
    ("a service tier by Anthropic's name", "sonnet-4-5", {"service_tier": "auto"},
     {"service_tier": "auto"}, []),
    ("a service tier by OpenAI's name", "sonnet-4-5", {"service_tier": "default"},
     {"service_tier": "standard_only"}, ["renamed service_tier: default -> standard_only"]),
    ("an unsupported service tier", "sonnet-4-5", {"service_tier": "flex"}, {},
     ["dropped service_tier: flex is unsupported by Anthropic"]),
]  # fmt: skip


@for_each(
    ("model", "parameters", "expected", "transformations"),
    [row[1:] for row in PARAMETERS],
    ids=[row[0] for row in PARAMETERS],
)
def test_parameters_are_converted(
    model: str, parameters: Any, expected: Any, transformations: list[str]
) -> None:
    body, listed = sent(chat(model=f"claude-{model}", max_tokens=100, **parameters))
    rest = {k: v for k, v in body.items() if k not in ("model", "messages", "max_tokens")}
    assert rest == expected
    assert listed == transformations


# what it shows, model, parameters, max_tokens, transformations
MAX_TOKENS: list[tuple[str, str, dict[str, Any], int, list[str]]] = [
    ("given", "sonnet-4-5", {"max_tokens": 7}, 7, []),
    ("by OpenAI's newer name", "sonnet-4-5", {"max_completion_tokens": 7, "max_tokens": 9}, 7,
     ["renamed max_completion_tokens -> max_tokens"]),
    ("not given", "sonnet-4-5", {}, 16384,
     ["emulated max_tokens: as the default 16384"]),
    ("not given, for a model with a lower maximum", "3-5-haiku-latest", {}, 8192,
     ["emulated max_tokens: as the default 8192"]),
    ("not given, with a budget", "opus-4-1", {"reasoning": {"max_tokens": 20000}}, 32000,
     ["emulated max_tokens: as the default 32000"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("model", "parameters", "expected", "transformations"),
    [row[1:] for row in MAX_TOKENS],
    ids=[row[0] for row in MAX_TOKENS],
)
def test_max_tokens_is_always_sent(
    model: str, parameters: Any, expected: int, transformations: list[str]
) -> None:
    body, listed = sent(chat(model=f"claude-{model}", **parameters))
    assert body["max_tokens"] == expected
    assert listed == transformations


SAMPLING: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"temperature": 0.5, "top_p": 0.5, "top_k": 1}, {}, ["top_k", "temperature", "top_p"]),
    ({"temperature": 1}, {"temperature": 1}, []),
    ({"temperature": 1, "top_p": 0.99}, {"temperature": 1}, ["top_p"]),
    ({"temperature": 0.5, "top_p": 0.99}, {"top_p": 0.99}, ["temperature"]),
]


@pytest.mark.parametrize(("given_sampling", "kept", "dropped"), SAMPLING)
def test_thinking_excludes_most_sampling_parameters(
    given_sampling: Any, kept: Any, dropped: list[str]
) -> None:
    request = chat(max_tokens=9000, reasoning={"max_tokens": 2000}, **given_sampling)
    body, listed = sent(request)
    assert {k: v for k, v in body.items() if k in ("temperature", "top_p", "top_k")} == kept
    assert [change.split()[1].rstrip(":") for change in listed] == dropped


# --- Unsupported content of messages --------------------------------------------------------------

CALLED = {"role": "assistant", "content": None, "tool_calls": [call("a", "f")]}
SIGNED = {**CALLED, "reasoning_details": [{
    "type": "reasoning.text", "text": "Hm", "signature": "S",
    "format": "anthropic-claude-v1"}]}  # fmt: skip
RESULT = {"role": "tool", "tool_call_id": "a", "content": "1"}

PICTURE = {"type": "image_url", "image_url": {"url": "https://a.example/b.png", "detail": "high"}}

# what it shows, messages, transformations
UNSUPPORTED_CONTENT: list[tuple[str, list[Any], list[str]]] = [
    ("a speaker's name", [{**HI[0], "name": "Ada"}], ["name: unsupported by Anthropic"]),
    ("the detail of an image", [user(text('"detail"'), PICTURE)],
     ["content[].image_url.detail: unsupported by Anthropic"]),
    ("the detail auto",
     [user({"type": "image_url", "image_url": {"url": "https://a.example", "detail": "auto"}},
           {"type": "image_url", "image_url": "https://a.example"})], []),
    ("reasoning without a signature",
     [*HI, {"role": "assistant", "content": "Yes", "reasoning_content": "Hm"}],
     ["reasoning_content: unsupported by Anthropic without a signature"]),
    ("reasoning with a signature", [*HI, {**SIGNED, "reasoning_content": "Hm"}, RESULT], []),
    ("the name of a tool", [*HI, SIGNED, {**RESULT, "name": "f"}], []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("messages", "transformations"),
    [row[1:] for row in UNSUPPORTED_CONTENT],
    ids=[row[0] for row in UNSUPPORTED_CONTENT],
)
def test_unsupported_content_of_messages_is_a_transformation(
    messages: list[Any], transformations: list[str]
) -> None:
    _, listed = sent(chat(messages, max_tokens=9))
    assert listed == [f"dropped messages[].{change}" for change in transformations]


def test_moving_a_later_system_message_is_a_transformation() -> None:
    body, listed = sent(chat([*HI, {"role": "system", "content": "Be kind."}], max_tokens=9))
    assert body["system"] == [text("Be kind.")]
    assert listed == ["emulated messages: system messages moved before all others"]


# --- Defaults and malformed requests --------------------------------------------------------------

DEFAULTS = {"temperature": 1, "max_tokens": 2048, "top_p": 1, "frequency_penalty": 0,
            "presence_penalty": 0}  # fmt: skip


@pytest.mark.parametrize(
    ("model", "kept"),
    [
        ("claude-3-haiku-20240307", ["temperature", "max_tokens", "top_p"]),
        ("claude-sonnet-4-5", ["temperature", "max_tokens"]),
        ("claude-opus-5-5", ["max_tokens"]),
    ],
)
def test_dropping_a_default_parameter_is_no_transformation(model: str, kept: list[str]) -> None:
    adapted, transformations = PROVIDER.adapt(
        chat(model=model, uses_default_parameters=True, **DEFAULTS)
    )
    assert list(adapted.parameters) == kept
    assert transformations == ()


def test_other_parameters_than_defaults_are_listed() -> None:
    request = chat(
        uses_default_parameters=True, response_format={"type": "json_object"}, **DEFAULTS
    )
    assert [change.parameter for change in PROVIDER.adapt(request)[1]] == ["response_format"]


@pytest.mark.parametrize(
    "parameters",
    [{"tools": 1}, {"tools": [{"type": "function", "function": {}}]}, {"tool_choice": 1},
     {"reasoning": "high"}, {"response_format": {"type": "yaml"}}, {"metadata": "m"},
     {"max_tokens": "many", "reasoning": {"max_tokens": 2000}}],
)  # fmt: skip
def test_malformed_values_are_rejected(parameters: Any) -> None:
    with pytest.raises(RequestError, match="no request in OpenAI's chat format"):
        PROVIDER.adapt(chat(**parameters))
