"""What is sent to OpenAI, and what is kept from models that would refuse it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import DecodeError, Raw

from headway.providers.openai.provider import PROVIDER, adapt, encode_request
from headway.types import ChatRequest, Target, Url

TARGET = Target(provider="openai", base_url="https://api.openai.com/v1", api_key="sk-planted")
MESSAGES = b'[{"role":"user","content":"Hi"}]'
SAMPLING = ("temperature", "top_p", "frequency_penalty", "presence_penalty")
DEFAULTS = dict.fromkeys((*SAMPLING, "max_tokens"), b"1")


def chat(
    model: str = "gpt-4o",
    parameters: dict[str, bytes] | None = None,
    *,
    stream: bool = False,
    uses_default_parameters: bool = False,
) -> ChatRequest:
    return ChatRequest(
        model=model,
        messages=Raw(MESSAGES),
        parameters={name: Raw(value) for name, value in (parameters or {}).items()},
        stream=stream,
        uses_default_parameters=uses_default_parameters,
    )


HEAD = b'{"model":"gpt-4o","messages":' + MESSAGES
STREAMED = b',"stream":true,"stream_options":'

# what it shows, parameters, streamed, the body's bytes
BODIES: list[tuple[str, dict[str, bytes], bool, bytes]] = [
    ("nothing but messages", {}, False, b"}"),
    ("parameters verbatim", {"temperature": b"0.70"}, False, b',"temperature":0.70}'),
    ("unknown ones too", {"zeal": b'{ "a": [1]}'}, False, b',"zeal":{ "a": [1]}}'),
    ("their order", {"seed": b"1", "n": b"2"}, False, b',"seed":1,"n":2}'),
    ("tools", {"tools": b'[{"type":"function"}]'}, False, b',"tools":[{"type":"function"}]}'),
    ("usage asked for", {}, True, STREAMED + b'{"include_usage":true}}'),
    (
        "null options",
        {"stream_options": b"null"},
        True,
        b',"stream_options":{"include_usage":true},"stream":true}',
    ),
    (
        "options beside it",
        {"stream_options": b'{"include_usage":false,"include_obfuscation":false}'},
        True,
        b',"stream_options":{"include_usage":true,"include_obfuscation":false},"stream":true}',
    ),
    ("options of a whole answer", {"stream_options": b"{}"}, False, b',"stream_options":{}}'),
]


@pytest.mark.parametrize(
    ("parameters", "stream", "rest"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES]
)
def test_the_body_is_the_callers_own_json(
    parameters: dict[str, bytes], stream: bool, rest: bytes
) -> None:
    request = encode_request(chat(parameters=parameters, stream=stream), TARGET)
    assert request.body == HEAD + rest


def test_options_of_a_stream_that_are_no_object_cannot_be_encoded() -> None:
    with pytest.raises(DecodeError):
        encode_request(chat(parameters={"stream_options": b"7"}, stream=True), TARGET)


def test_messages_with_parts_go_verbatim() -> None:
    messages = (
        b'[{"role":"user","content":[{"type":"text","text":"What is this?"},'
        b'{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}]'
    )
    request = encode_request(ChatRequest(model="m", messages=Raw(messages)), TARGET)
    assert request.body == b'{"model":"m","messages":' + messages + b"}"


@pytest.mark.parametrize(
    ("stream", "accept"), [(False, "application/json"), (True, "text/event-stream")]
)
def test_the_headers_say_what_is_sent_and_wanted(stream: bool, accept: str) -> None:
    request = encode_request(chat(stream=stream), TARGET)
    assert request.method == "POST"
    assert request.headers == (
        ("content-type", "application/json"),
        ("accept", accept),
        ("authorization", "Bearer sk-planted"),
    )


def test_without_a_key_there_is_no_authorization_and_configured_headers_follow() -> None:
    target = Target(provider="box", base_url="http://gpu-box:8000/v1/", headers={"x-team": "a"})
    request = encode_request(chat(), target)
    assert request.url == Url("http", "gpu-box", 8000, "/v1/chat/completions")
    assert [name for name, _ in request.headers] == ["content-type", "accept", "x-team"]


def test_a_base_url_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="scheme"):
        encode_request(chat(), Target(provider="p", base_url=""))


# model, refuses sampling parameters, also where the caller gave them, renames max_tokens
MODELS = [
    ("gpt-4o", False, False, False),
    ("gpt-4.1-mini", False, False, False),
    ("gpt-3.5-turbo", False, False, False),
    ("gpt-5-chat-latest", False, False, False),
    ("chatgpt-4o-latest", False, False, False),
    ("o1", True, True, True),
    ("o1-mini", True, True, True),
    ("o3", True, True, True),
    ("o4-mini", True, True, True),
    ("gpt-5", True, True, True),
    ("gpt-5-mini", True, True, True),
    ("gpt-5-nano-2025-08-07", True, True, True),
    ("codex-mini-latest", True, True, True),
    ("openai/o3-mini", True, True, True),
    ("ft:o4-mini:acme::id", True, True, True),
    ("gpt-5.1", True, False, True),
    ("gpt-5.2-pro", True, False, True),
]


@pytest.mark.parametrize(("model", "refuses", "always", "renames"), MODELS)
def test_reasoning_models_are_not_sent_what_they_refuse(
    model: str, refuses: bool, always: bool, renames: bool
) -> None:
    given = adapt(chat(model, DEFAULTS))[0].parameters
    uses_default_parameters = adapt(chat(model, DEFAULTS, uses_default_parameters=True))[
        0
    ].parameters
    assert [name for name in SAMPLING if name in given] == ([] if always else list(SAMPLING))
    assert [name for name in SAMPLING if name in uses_default_parameters] == (
        [] if refuses else list(SAMPLING)
    )
    for parameters in (given, uses_default_parameters):
        assert ("max_completion_tokens" in parameters) is renames
        assert ("max_tokens" in parameters) is not renames


def test_every_change_is_told_by_the_callers_name_of_the_parameter() -> None:
    _, changes = adapt(chat("o3", {"temperature": b"0.5", "max_tokens": b"9"}))
    assert [(change.action, change.parameter) for change in changes] == [
        ("dropped", "temperature"),
        ("renamed", "max_tokens"),
    ]
    assert [str(change) for change in changes] == [
        "dropped temperature: o3 does not take it",
        "renamed max_tokens: o3 calls it max_completion_tokens",
    ]


def test_changes_of_our_own_defaults_are_no_news() -> None:
    assert adapt(chat("o3", DEFAULTS, uses_default_parameters=True))[1] == ()


def test_what_need_not_change_is_the_same_request() -> None:
    request = chat("gpt-4o", DEFAULTS)
    assert adapt(request) == (request, ())


def test_a_renamed_limit_keeps_its_value() -> None:
    adapted, _ = adapt(chat("o3", {"max_tokens": b"9"}))
    assert dict(adapted.parameters) == {"max_completion_tokens": Raw(b"9")}


def test_the_name_that_the_model_knows_wins_over_the_old_one() -> None:
    both = {"max_tokens": b"9", "max_completion_tokens": b"7"}
    adapted, _ = adapt(chat("o3", both))
    assert dict(adapted.parameters) == {"max_completion_tokens": Raw(b"7")}


def test_other_parameters_of_a_reasoning_model_stay() -> None:
    adapted, changes = adapt(chat("o3", {"reasoning_effort": b'"low"', "seed": b"1"}))
    assert list(adapted.parameters) == ["reasoning_effort", "seed"]
    assert changes == ()


def listed(model: str | None) -> list[str]:
    return [spec.id for spec in PROVIDER.parameters_of(model)]


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (None, ["temperature", "max_tokens", "top_p", "frequency_penalty", "presence_penalty"]),
        ("gpt-4o", ["temperature", "max_tokens", "top_p", "frequency_penalty", "presence_penalty"]),
        ("o3", ["max_completion_tokens"]),
        ("gpt-5-mini", ["max_completion_tokens"]),
    ],
)
def test_the_parameters_of_a_model_are_those_it_takes_by_the_names_it_takes_them(
    model: str | None, names: list[str]
) -> None:
    assert listed(model) == names


def test_a_renamed_parameter_keeps_its_bounds() -> None:
    (spec,) = PROVIDER.parameters_of("o3")
    assert (spec.type, spec.default, spec.min) == ("integer", 2048, 1)


def test_the_contracts_defaults_are_the_listed_ones() -> None:
    defaults: dict[str, Any] = {spec.id: spec.default for spec in PROVIDER.parameters}
    assert json.loads(json.dumps(defaults)) == {
        "temperature": 1,
        "max_tokens": 2048,
        "top_p": 1,
        "frequency_penalty": 0,
        "presence_penalty": 0,
    }
