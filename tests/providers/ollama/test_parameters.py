"""OpenAI's parameters as Ollama's, with the transformations."""

from __future__ import annotations

from typing import Any

import pytest

from headway.errors import RequestError
from headway.providers.ollama.provider import PROVIDER
from headway.types import ChatRequest, Target
from support.adapter_requests import chat, sent_body, transformations
from support.for_each import for_each

BASE = "http://127.0.0.1:11434"
NATIVE = Target(provider="ollama", base_url=BASE)
USER: list[Any] = [{"role": "user", "content": "a"}]


SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}


def tool(name: str, **more: Any) -> Any:
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA, **more}}


F, G = tool("f"), tool("g")
NAMED = {"type": "function", "function": {"name": "f"}}
SAMPLING = {"temperature": 0.5, "top_p": 0.9, "top_k": 5, "min_p": 0.1, "seed": 1,
            "frequency_penalty": 0.5, "presence_penalty": 0}  # fmt: skip

PARAMETERS: list[tuple[Any, Any, list[str]]] = [
    (SAMPLING, {"options": SAMPLING}, []),
    ({"max_tokens": 5, "repetition_penalty": 1.1, "stop": "x"},
     {"options": {"num_predict": 5, "repeat_penalty": 1.1, "stop": ["x"]}},
     ["renamed max_tokens -> options.num_predict",
      "renamed repetition_penalty -> options.repeat_penalty"]),
    ({"max_completion_tokens": 5, "max_tokens": 6}, {"options": {"num_predict": 5}},
     ["renamed max_completion_tokens -> options.num_predict"]),
    ({"temperature": 1, "num_ctx": 8192, "options": {"temperature": 0, "mirostat": 1}},
     {"options": {"temperature": 0, "num_ctx": 8192, "mirostat": 1}}, []),
    ({"keep_alive": "5m", "truncate": False, "format": "json", "logprobs": True,
      "top_logprobs": 2},
     {"keep_alive": "5m", "truncate": False, "format": "json", "logprobs": True,
      "top_logprobs": 2}, []),
    ({"n": 1, "stream_options": {}, "store": False, "seed": None}, {}, []),
    ({"n": 2, "user": "u"}, {}, ["dropped n: unsupported by Ollama",
                                 "dropped user: unsupported by Ollama"]),
    ({"response_format": {"type": "text"}}, {}, []),
    ({"response_format": {"type": "json_object"}}, {"format": "json"}, []),
    ({"response_format": FORMAT}, {"format": SCHEMA}, []),
    ({"tools": [F], "tool_choice": "auto"}, {"tools": [F]}, []),
    ({"tools": [F], "tool_choice": "none"}, {}, ["emulated tool_choice: by sending no tools"]),
    ({"tools": [F], "tool_choice": "required"}, {"tools": [F]},
     ["dropped tool_choice: unsupported by Ollama"]),
    ({"tools": [F, G], "tool_choice": NAMED}, {"tools": [F]},
     ["emulated tool_choice: by offering only the tools that it names",
      "dropped tool_choice: unsupported by Ollama"]),
    ({"tools": [tool("f", strict=True)]}, {"tools": [F]},
     ["dropped tools[].function.strict: unsupported by Ollama"]),
    ({"reasoning_effort": "none"}, {"think": False},
     ["renamed reasoning_effort -> think"]),
    ({"reasoning_effort": "minimal"}, {"think": "low"},
     ["clamped reasoning_effort: minimal -> low (nearest effort)",
      "renamed reasoning_effort -> think"]),
    ({"reasoning": {"effort": "high", "max_tokens": 9}}, {"think": "high"},
     ["dropped reasoning.max_tokens: unsupported by Ollama",
      "renamed reasoning -> think"]),
    ({"reasoning": {"enabled": False}}, {"think": False},
     ["renamed reasoning -> think"]),
    ({"thinking": {"type": "enabled", "budget_tokens": 9}}, {"think": True},
     ["dropped thinking.budget_tokens: unsupported by Ollama",
      "renamed thinking -> think"]),
    ({"thinking": {"type": "disabled"}, "think": "max"}, {"think": "max"}, []),
]  # fmt: skip


@for_each(("parameters", "expected", "noted"), PARAMETERS)
def test_a_parameter_is_converted_and_each_transformation_is_listed(
    parameters: Any, expected: Any, noted: list[str]
) -> None:
    request = chat("m", USER, stream=True, **parameters)
    assert sent_body(PROVIDER, NATIVE, request) == {
        "model": "m",
        "messages": USER,
        "stream": True,
        **expected,
    }
    assert transformations(PROVIDER, request) == noted


def test_default_parameters_are_converted_without_a_transformation() -> None:
    given_ = {"temperature": 1, "max_tokens": 2048, "top_p": 1, "frequency_penalty": 0,
              "presence_penalty": 0}  # fmt: skip
    request = chat("m", USER, uses_default_parameters=True, **given_)
    assert transformations(PROVIDER, request) == []
    assert sent_body(PROVIDER, NATIVE, request)["options"]["num_predict"] == 2048


@pytest.mark.parametrize(
    "request_",
    [
        chat("m", [{"role": "user", "content": 5}]),
        chat("m", USER, tools=5),
        chat("m", USER, reasoning="high"),
        chat("m", [{"role": "user", "content": [{"type": "input_audio"}]}]),
    ],
)
def test_a_malformed_request_raises_request_error(request_: ChatRequest) -> None:
    with pytest.raises(RequestError, match="no request in OpenAI's chat format"):
        PROVIDER.adapt(request_)


def test_a_model_has_all_parameters() -> None:
    assert PROVIDER.parameters_of("m") == PROVIDER.parameters
