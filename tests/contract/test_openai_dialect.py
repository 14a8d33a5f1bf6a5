"""OpenAI's own routes, used through OpenAI's own client."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.gateway_process import BODY_KEY, HELLO, SERVER_KEY, Gateway
from support.lazy_import import lazy_import
from support.openai_client import openai_client
from support.openai_completions import (
    DONE,
    USAGE,
    error_body,
    finish,
    role,
    text,
    tool_piece,
    tool_start,
    usage,
)
from support.openai_upstream import CUT, EOF, HANG, Answer, Step, Upstream
from support.waiting import until

openai = lazy_import("openai")

MESSAGES: Any = [{"role": "user", "content": HELLO}]
TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]
TOOL_ANSWER = Answer(
    (
        role(),
        tool_start(0, "call_1", "weather"),
        tool_piece(0, '{"city":'),
        tool_piece(0, '"Paris"}'),
        tool_start(1, "call_2", "weather"),
        tool_piece(1, '{"city":"Rome"}'),
        finish("tool_calls"),
        usage(),
        DONE,
    )
)


@pytest.fixture
def sdk(gateway: Gateway) -> Iterator[Any]:
    with openai_client(f"{gateway.base_url}/v1") as client:
        yield client


# --- Whole ----------------------------------------------------------------------------------------


def test_a_whole_chat_works(sdk: Any, upstream: Upstream) -> None:
    answer = sdk.chat.completions.create(model="openai/gpt-4o", messages=MESSAGES)
    assert answer.object == "chat.completion"
    assert answer.choices[0].message.content == "Hello there!"
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.model_dump(exclude_none=True) == USAGE
    assert upstream.last.key == SERVER_KEY
    assert upstream.last.json["model"] == "gpt-4o"
    assert upstream.last.json["messages"] == MESSAGES


def test_only_the_first_slash_separates_provider_and_model(sdk: Any, upstream: Upstream) -> None:
    sdk.chat.completions.create(model="keyless/org/model-7b", messages=MESSAGES)
    assert upstream.last.json["model"] == "org/model-7b"
    assert upstream.last.key is None


def test_only_the_callers_fields_are_sent(sdk: Any, upstream: Upstream) -> None:
    sdk.chat.completions.create(
        model="openai/gpt-4o", messages=MESSAGES, seed=7, extra_body={"a_field_of_tomorrow": [1]}
    )
    body = upstream.last.json
    assert body["seed"] == 7
    assert body["a_field_of_tomorrow"] == [1]
    assert not {"temperature", "max_tokens", "top_p", "frequency_penalty"} & set(body)


def test_whole_tool_calls_work_and_their_results_go_back(sdk: Any, upstream: Upstream) -> None:
    upstream.play(TOOL_ANSWER)
    answer = sdk.chat.completions.create(model="openai/gpt-4o", messages=MESSAGES, tools=TOOLS)
    assert upstream.last.json["tools"] == TOOLS
    message = answer.choices[0].message
    assert answer.choices[0].finish_reason == "tool_calls"
    calls: Any = message.tool_calls
    assert [c.function.arguments for c in calls] == ['{"city":"Paris"}', '{"city":"Rome"}']

    upstream.play()
    results: Any = [{"role": "tool", "tool_call_id": c.id, "content": "Rain"} for c in calls]
    asked = message.model_dump(exclude_none=True)
    history: Any = [*MESSAGES, asked, *results]
    answer = sdk.chat.completions.create(model="openai/gpt-4o", messages=history)
    assert answer.choices[0].message.content == "Hello there!"
    assert upstream.last.json["messages"] == history


# --- Streamed -------------------------------------------------------------------------------------


def test_a_streamed_chat_shows_usage_only_on_request(sdk: Any, upstream: Upstream) -> None:
    with sdk.chat.completions.create(
        model="openai/gpt-4o", messages=MESSAGES, stream=True
    ) as stream:
        chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == "Hello there!"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert len({c.id for c in chunks}) == 1
    assert [c.usage for c in chunks] == [None] * len(chunks)
    assert upstream.last.json["stream_options"]["include_usage"] is True


def test_requested_usage_comes_last(sdk: Any) -> None:
    with sdk.chat.completions.create(
        model="openai/gpt-4o",
        messages=MESSAGES,
        stream=True,
        stream_options={"include_usage": True},
    ) as stream:
        *earlier, last = list(stream)
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.model_dump(exclude_none=True) == USAGE
    assert all(c.choices and c.usage is None for c in earlier)


def test_streamed_tool_calls_work(sdk: Any, upstream: Upstream) -> None:
    upstream.play(TOOL_ANSWER)
    arguments = {0: "", 1: ""}
    ids = []
    with sdk.chat.completions.create(
        model="openai/gpt-4o", messages=MESSAGES, tools=TOOLS, stream=True
    ) as stream:
        for chunk in stream:
            for call in chunk.choices[0].delta.tool_calls or ():
                ids += [call.id] if call.id else []
                arguments[call.index] += (call.function and call.function.arguments) or ""
    assert ids == ["call_1", "call_2"]
    assert arguments == {0: '{"city":"Paris"}', 1: '{"city":"Rome"}'}


def test_the_sdks_stream_helper_gets_a_complete_response(sdk: Any) -> None:
    with sdk.chat.completions.stream(model="openai/gpt-4o", messages=MESSAGES) as stream:
        stream.until_done()
        final = stream.get_final_completion()
    assert final.choices[0].message.content == "Hello there!"


def test_unknown_fields_survive_in_a_stream(gateway: Gateway, upstream: Upstream) -> None:
    upstream.play(
        Answer((role(), text("Hi", obfuscation="xyz", tomorrow=[1]), finish(), usage(), DONE))
    )
    body = {"model": "openai/gpt-4o", "messages": MESSAGES, "stream": True}
    with gateway.client.open("POST", "/v1/chat/completions", body) as stream:
        assert stream.read_head().status == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        events = stream.read().decode().split("\n\n")
        assert stream.complete
    assert events[-2:] == ["data: [DONE]", ""]
    objects = [json.loads(e.removeprefix("data: ")) for e in events[:-2]]
    assert [o for o in objects if o.get("tomorrow") == [1]]


def test_a_client_that_leaves_ends_the_providers_stream(
    gateway: Gateway, upstream: Upstream
) -> None:
    upstream.play(Answer((role(), text("Hello"), HANG)))
    body = {"model": "openai/gpt-4o", "messages": MESSAGES, "stream": True}
    with gateway.client.open("POST", "/v1/chat/completions", body) as stream:
        stream.read_head()
        next(stream.chunks())
    until(lambda: upstream.last.closed_at)


# --- Errors ---------------------------------------------------------------------------------------


def refusal(status: int, **headers: str) -> Answer:
    fields = (("content-type", "application/json"), *headers.items())
    return Answer((error_body("No, because", "a_type", "a_code"),), status=status, headers=fields)


REFUSALS: list[tuple[Answer, str]] = [
    (refusal(401), "AuthenticationError"),
    (refusal(404), "NotFoundError"),
    (refusal(400), "BadRequestError"),
    (refusal(422), "UnprocessableEntityError"),
    (refusal(429, **{"retry-after": "7"}), "RateLimitError"),
    (refusal(500), "InternalServerError"),
]


@pytest.mark.parametrize(("answer", "error"), REFUSALS)
def test_the_client_raises_its_own_error_for_each_refusal(
    sdk: Any, upstream: Upstream, answer: Answer, error: str
) -> None:
    upstream.play(answer)
    for stream in (False, True):
        with pytest.raises(getattr(openai, error)) as caught:
            sdk.chat.completions.create(model="openai/gpt-4o", messages=MESSAGES, stream=stream)
        checked(caught.value)


def checked(error: Any) -> dict[str, Any]:
    """The error's body, in OpenAI's shape."""
    body = error.response.json()["error"]
    assert {"message", "type", "param", "code"} <= set(body)
    assert isinstance(body["message"], str)
    assert "Traceback" not in error.response.text
    return dict(body)


def test_the_error_for_a_rate_limit_has_the_time_to_retry(sdk: Any, upstream: Upstream) -> None:
    upstream.play(refusal(429, **{"retry-after": "7"}))
    with pytest.raises(openai.RateLimitError) as caught:
        sdk.chat.completions.create(model="openai/gpt-4o", messages=MESSAGES)
    assert caught.value.response.headers["retry-after"] == "7"
    assert "No, because" in checked(caught.value)["message"]


def test_an_unknown_provider_is_not_found(sdk: Any) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        sdk.chat.completions.create(model="nobody/gpt-4o", messages=MESSAGES)
    assert "openai" in checked(caught.value)["message"]


def test_a_missing_key_is_an_authentication_error(sdk: Any) -> None:
    with pytest.raises(openai.AuthenticationError, match="or send `x-headway-provider-key`"):
        sdk.chat.completions.create(model="needy/gpt-4o", messages=MESSAGES)


@pytest.mark.parametrize("model", ["openai/gpt-4o", "keyless/gpt-4o"])
def test_a_clients_own_key_is_sent_to_the_provider(
    sdk: Any, upstream: Upstream, model: str
) -> None:
    own = {"x-headway-provider-key": BODY_KEY}
    sdk.chat.completions.create(model=model, messages=MESSAGES, extra_headers=own)
    [exchange] = upstream.exchanges
    assert exchange.headers["authorization"] == f"Bearer {BODY_KEY}"
    assert "x-headway-provider-key" not in exchange.headers


V1_BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"model": "openai/gpt-4o", "messages": MESSAGES},
    "/v1/embeddings": {"model": "openai/text-embedding-3-small", "input": "Hello"},
}


@pytest.mark.parametrize("path", V1_BODIES)
@pytest.mark.parametrize("name", ["api_key", "base_url"])
def test_a_key_or_an_address_in_a_body_is_not_sent_on(
    gateway: Gateway, upstream: Upstream, path: str, name: str
) -> None:
    reply = gateway.client.call("POST", path, {**V1_BODIES[path], name: BODY_KEY})
    assert (reply.status, reply.json["error"]["param"]) == (422, name)
    assert BODY_KEY.encode() not in reply.body
    assert upstream.exchanges == []


BAD: list[tuple[Any, str | None]] = [
    (b"not json", None),
    (b"[]", None),
    ({"messages": MESSAGES}, "model"),
    ({"model": "openai/gpt-4o"}, "messages"),
    ({"model": "openai/gpt-4o", "messages": "x"}, "messages"),
    ({"model": "openai/gpt-4o", "messages": MESSAGES, "stream": "yes"}, "stream"),
]


@pytest.mark.parametrize(("body", "field"), BAD)
def test_a_bad_request_is_refused_naming_the_field(
    gateway: Gateway, upstream: Upstream, body: Any, field: str | None
) -> None:
    reply = gateway.client.call("POST", "/v1/chat/completions", body)
    assert reply.status in ((400,) if field is None else (400, 422))
    error = reply.json["error"]
    assert {"message", "type", "param", "code"} <= set(error)
    if field is not None:
        assert field in error["message"]
    assert upstream.exchanges == []


FAULTS: dict[str, tuple[Step, ...]] = {
    "cut": (CUT,),
    "truncated": (EOF,),
    "error in the stream": (b'data: {"error": {"message": "It broke", "type": "x"}}\n\n', EOF),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_stream_that_fails_raises_in_the_client(sdk: Any, upstream: Upstream, name: str) -> None:
    upstream.play(Answer((role(), text("Hello"), *FAULTS[name])))
    got: list[str] = []
    with pytest.raises(openai.APIError):
        read_into(got, sdk)
    assert "".join(got) == "Hello"


def read_into(got: list[str], sdk: Any) -> None:
    with sdk.chat.completions.create(
        model="openai/gpt-4o", messages=MESSAGES, stream=True
    ) as stream:
        for chunk in stream:
            got.append(chunk.choices[0].delta.content or "")


# --- Models ---------------------------------------------------------------------------------------


def test_models_are_listed_as_provider_and_model(sdk: Any) -> None:
    listed = [model.id for model in sdk.models.list()]
    assert "openai/gpt-4o" in listed
    assert all("/" in name for name in listed)
    assert len(listed) == len(set(listed))


def test_the_key_of_the_gateway_is_the_sdks_key(launch: Callable[..., Gateway]) -> None:
    own = launch(env={"HEADWAY_API_KEYS": "hw-sdk-key"})
    base_url = f"{own.base_url}/v1"
    with openai.OpenAI(base_url=base_url, api_key="hw-sdk-key", max_retries=0) as client:
        answer = client.chat.completions.create(model="openai/gpt-4o", messages=MESSAGES)
    assert answer.choices[0].message.content == "Hello there!"
    with (
        openai.OpenAI(base_url=f"{own.base_url}/v1", api_key="hw-wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        client.models.list()
    checked(caught.value)
