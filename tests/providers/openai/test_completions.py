"""Legacy completions of OpenAI and of other providers: who has them, where and with which fields
they are asked, and how their responses are read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.errors import RequestError
from headway.events import Event, Failed, Finished, Logprobs, StreamEnd, Text, UsageReported
from headway.providers import KINDS
from headway.providers.base import Provider
from headway.providers.openai.completions import WIRE
from headway.types import ChatRequest, Frame, NativeRequest, Target

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
LOGPROBS = {"tokens": ["a"], "token_logprobs": [-0.1], "top_logprobs": None, "text_offset": [3]}


def completions_of(kind: str, model: str, **options: Any) -> Provider | None:
    other = KINDS[kind].other_wires.get(WIRE)
    return other.provider if other is not None and other.serves(model, options) else None


def native(*, model: str = "m", stream: bool = False, **fields: Any) -> ChatRequest:
    raw = {name: Raw(json.dumps(value).encode()) for name, value in fields.items()}
    request = NativeRequest(WIRE, {"prompt": Raw(b'"Say"'), **raw})
    return ChatRequest(model=model, messages=Raw(b"[]"), stream=stream, native=request)


def sent_to(kind: str, request: ChatRequest, **target: Any) -> tuple[str, dict[str, Any], Any]:
    """The address, the body and the transformations of a request."""
    provider = completions_of(kind, request.model)
    assert provider is not None and provider.encode_native is not None  # noqa: PT018
    adapted, noted = provider.adapt_native(request)
    base_url = KINDS[kind].base_url
    where = Target(provider=kind, **{"base_url": base_url, "api_key": "k", **target})
    http_request = provider.encode_native(adapted, where)
    url = http_request.url
    return url.host + url.path, json.loads(http_request.body), [str(each) for each in noted]


def test_a_model_with_completions_is_asked_there_and_any_other_through_chat() -> None:
    for kind, model, has in (
        ("openai", "gpt-3.5-turbo-instruct-0914", True),
        ("openai", "ft:babbage-002:org::1", True),
        ("openai", "gpt-4o", False),
        ("azure_openai", "gpt-35-turbo-instruct", True),
        ("azure_openai", "gpt-4o", False),
        ("mistral", "codestral-latest", True),
        ("mistral", "mistral-large-latest", False),
        ("dashscope", "qwen2.5-coder-32b-instruct", True),
        ("dashscope", "qwen-max", False),
        ("siliconflow", "Qwen/Qwen2.5-Coder-7B-Instruct", True),
        ("siliconflow", "zai-org/GLM-4.6", False),
        ("nvidia_nim", "bigcode/starcoder2-7b", True),
        ("nvidia_nim", "meta/llama-3.1-8b-instruct", False),
        ("vllm", "any", True),
        ("local", "any", True),
        ("groq", "any", False),
        ("perplexity", "any", False),
        ("anthropic", "any", False),
    ):
        assert (completions_of(kind, model) is not None) is has, (kind, model)
    deployment = completions_of("azure_openai", "mine", model_name="gpt-35-turbo-instruct")
    assert deployment is not None


def test_every_provider_is_asked_at_its_own_address() -> None:
    for kind, model, address in (
        ("openai", "davinci-002", "api.openai.com/v1/completions"),
        ("together", "m", "api.together.ai/v1/completions"),
        ("fireworks", "m", "api.fireworks.ai/inference/v1/completions"),
        ("openrouter", "m", "openrouter.ai/api/v1/completions"),
        ("deepseek", "m", "api.deepseek.com/beta/completions"),
        ("mistral", "codestral-latest", "api.mistral.ai/v1/fim/completions"),
        ("ollama", "m", "127.0.0.1/v1/completions"),
        ("vllm", "m", "127.0.0.1/v1/completions"),
    ):
        assert sent_to(kind, native(model=model))[0] == address, kind
    for base_url in ("https://api.deepseek.com/v1", "https://api.deepseek.com/beta/"):
        asked = sent_to("deepseek", native(), base_url=base_url)
        assert asked[0] == "api.deepseek.com/beta/completions", base_url
    azure = "https://box.openai.azure.com"
    request = native(model="babbage-002")
    dated = {"base_url": azure, "options": {"api_version": "2024-10-21"}}
    assert sent_to("azure_openai", request, base_url=azure)[0] == (
        "box.openai.azure.com/openai/v1/completions"
    )
    assert sent_to("azure_openai", request, **dated)[0] == (
        "box.openai.azure.com/openai/deployments/babbage-002/completions?api-version=2024-10-21"
    )


def test_the_clients_fields_are_sent_as_they_are() -> None:
    given = {"suffix": "end", "best_of": 3, "echo": True, "logprobs": 2, "own": {"a": 1.5}}
    _, body, noted = sent_to("vllm", native(**given, prompt=[[1, 2], [3]]))
    assert body == {"model": "m", "prompt": [[1, 2], [3]], **given}
    assert noted == []


def test_a_stream_asks_for_usage_where_that_must_be_asked() -> None:
    _, body, _ = sent_to("vllm", native(stream=True, stream_options={"own": 1}))
    assert body["stream"] is True
    assert body["stream_options"] == {"own": 1, "include_usage": True}
    _, body, _ = sent_to("vllm", native(stream_options={"include_usage": True}))
    assert "stream_options" not in body
    fim = native(model="codestral-latest", stream=True, stream_options={"include_usage": True})
    assert sent_to("mistral", fim)[1] == {
        "model": "codestral-latest",
        "prompt": "Say",
        "stream": True,
    }


def test_what_a_provider_lacks_is_left_out_and_said_unless_it_changes_nothing() -> None:
    asked = native(
        model="codestral-latest", suffix="end", seed=1, n=2, best_of=1, echo=False, logprobs=None
    )
    assert sent_to("mistral", asked)[1:] == (
        {"model": "codestral-latest", "prompt": "Say", "suffix": "end", "random_seed": 1},
        ["renamed seed -> random_seed", "dropped n: unsupported by Mistral"],
    )


def test_one_text_in_a_list_is_that_text_for_who_takes_one() -> None:
    assert sent_to("deepseek", native(prompt=["Say"]))[1]["prompt"] == "Say"
    for prompt in (["a", "b"], [1, 2], [[1]]):
        with pytest.raises(RequestError, match="one text") as caught:
            sent_to("deepseek", native(prompt=prompt))
        assert caught.value.param == "prompt", prompt


# --- Responses ------------------------------------------------------------------------------------


def completion(*choices: dict[str, Any], **more: Any) -> bytes:
    head = {"id": "cmpl-1", "object": "text_completion", "created": 7, "model": "m"}
    return json.dumps({**head, "choices": choices, **more}).encode()


def vllm() -> Provider:
    provider = completions_of("vllm", "m")
    assert provider is not None
    return provider


def test_a_whole_completion_is_read() -> None:
    body = completion(
        {"index": 0, "text": "a", "logprobs": LOGPROBS, "finish_reason": "stop"},
        {"index": 1, "text": "b", "logprobs": None, "finish_reason": "length"},
        usage=USAGE,
    )
    _, *events, usage, end = vllm().decode_response(body)
    assert events == [
        Text("a"),
        Logprobs(LOGPROBS),
        Finished("stop"),
        Text("b", 1),
        Finished("length", 1),
    ]
    assert isinstance(usage, UsageReported)
    assert (usage.usage.input_tokens, usage.usage.output_tokens) == (3, 2)
    assert end == StreamEnd()


def test_a_streamed_completion_is_read() -> None:
    state: dict[str, Any] = {}
    events: list[Event] = []
    for data in (
        completion({"index": 0, "text": "a", "finish_reason": None}),
        completion({"index": 1, "text": "b", "finish_reason": None}),
        completion({"index": 0, "text": "", "finish_reason": "stop"}, usage=USAGE),
        b"[DONE]",
    ):
        events += vllm().decode_event(Frame(data, None, b""), state)
    assert events[1:4] == [Text("a"), Text("b", 1), Finished("stop")]
    assert type(events[4]) is UsageReported
    assert events[5] == StreamEnd()
    [failed] = vllm().decode_event(Frame(b'{"error": {"message": "no"}}', None, b""), {"tools": {}})
    assert isinstance(failed, Failed)
