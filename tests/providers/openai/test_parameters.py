"""OpenAI's parameters that its reasoning models reject."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.providers.openai.parameters import adapt
from headway.providers.openai.provider import PROVIDER
from headway.types import ChatRequest
from support.for_each import for_each

SAMPLING = ("temperature", "top_p", "frequency_penalty", "presence_penalty")
DEFAULTS = dict.fromkeys((*SAMPLING, "max_tokens"), b"1")


def chat(
    model: str, parameters: dict[str, bytes], *, uses_default_parameters: bool = False
) -> ChatRequest:
    return ChatRequest(
        model=model,
        messages=Raw(b'[{"role":"user","content":"Hi"}]'),
        parameters={name: Raw(value) for name, value in parameters.items()},
        uses_default_parameters=uses_default_parameters,
    )


# model, rejects sampling parameters, also those that the caller gave, renames max_tokens
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


@for_each(("model", "rejects", "always", "renames"), MODELS)
def test_parameters_that_a_reasoning_model_rejects_are_not_sent(
    model: str, rejects: bool, always: bool, renames: bool
) -> None:
    given = adapt(chat(model, DEFAULTS))[0].parameters
    uses_default_parameters = adapt(chat(model, DEFAULTS, uses_default_parameters=True))[
        0
    ].parameters
    assert [name for name in SAMPLING if name in given] == ([] if always else list(SAMPLING))
    assert [name for name in SAMPLING if name in uses_default_parameters] == (
        [] if rejects else list(SAMPLING)
    )
    for parameters in (given, uses_default_parameters):
        assert ("max_completion_tokens" in parameters) is renames
        assert ("max_tokens" in parameters) is not renames


def test_each_transformation_names_the_parameter_and_what_happened_to_it() -> None:
    _, transformations = adapt(chat("o3", {"temperature": b"0.5", "max_tokens": b"9"}))
    assert [str(each) for each in transformations] == [
        "dropped temperature: unsupported by o3",
        "renamed max_tokens -> max_completion_tokens",
    ]
    assert [(each.action, each.parameter) for each in transformations] == [
        ("dropped", "temperature"),
        ("renamed", "max_tokens"),
    ]


def test_transformations_of_default_parameters_are_not_reported() -> None:
    assert adapt(chat("o3", DEFAULTS, uses_default_parameters=True))[1] == ()


def test_a_request_to_another_model_is_unchanged() -> None:
    request = chat("gpt-4o", DEFAULTS)
    assert adapt(request) == (request, ())


def test_a_renamed_token_limit_keeps_its_value() -> None:
    adapted, _ = adapt(chat("o3", {"max_tokens": b"9"}))
    assert dict(adapted.parameters) == {"max_completion_tokens": Raw(b"9")}


def test_max_completion_tokens_wins_over_max_tokens() -> None:
    both = {"max_tokens": b"9", "max_completion_tokens": b"7"}
    adapted, _ = adapt(chat("o3", both))
    assert dict(adapted.parameters) == {"max_completion_tokens": Raw(b"7")}


def test_other_parameters_of_a_reasoning_model_are_kept() -> None:
    adapted, transformations = adapt(chat("o3", {"reasoning_effort": b'"low"', "seed": b"1"}))
    assert list(adapted.parameters) == ["reasoning_effort", "seed"]
    assert transformations == ()


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
def test_the_parameters_of_a_model_are_listed_under_the_names_that_it_takes(
    model: str | None, names: list[str]
) -> None:
    assert listed(model) == names


def test_a_renamed_parameter_keeps_its_range() -> None:
    (spec,) = PROVIDER.parameters_of("o3")
    assert (spec.type, spec.default, spec.min) == ("integer", 2048, 1)


def test_the_listed_defaults_are_those_of_the_contract() -> None:
    defaults: dict[str, Any] = {spec.id: spec.default for spec in PROVIDER.parameters}
    assert json.loads(json.dumps(defaults)) == {
        "temperature": 1,
        "max_tokens": 2048,
        "top_p": 1,
        "frequency_penalty": 0,
        "presence_penalty": 0,
    }
