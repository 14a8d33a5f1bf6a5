"""OpenAI's wire and those of vendors that copied it: there and back, whatever is said."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given, note, settings

from chat_requests import (
    Asked,
    Names,
    Sent,
    asking,
    check_messages,
    check_parameters,
    members,
    parsed,
    sent,
)
from headway.providers import KINDS
from headway.types import Target

EXAMPLES = 100
MODELS = ("gpt-4o", "o3", "gpt-5.1", "llama-3.3-70b", "deepseek-chat", "deepseek-reasoner")
TARGET = Target(provider="p", base_url="https://a.example/v1", api_key="k")
RENAMED: dict[str, dict[str, Names]] = {
    "openai": {"max_tokens": ("max_completion_tokens",)},
    "azure_openai": {"max_tokens": ("max_completion_tokens",)},
    "deepseek": {
        "max_completion_tokens": ("max_tokens",),
        "reasoning": ("reasoning_effort", "thinking"),
        "reasoning_effort": ("reasoning_effort", "thinking"),
    },
    "groq": {"reasoning": ("reasoning_effort",)},
    "openrouter": {},
}
"""What each calls otherwise, by its own documentation."""
VERBATIM = ("openai", "azure_openai", "openrouter")
"""They know all that a message may hold."""
NEUTRAL = {"groq": ("frequency_penalty", "presence_penalty")}
THOUGHTS = {"groq": {"reasoning_content": "reasoning"}}


# --- Requests -------------------------------------------------------------------------------------


@settings(max_examples=EXAMPLES)
@given(asked=asking(MODELS))
def test_what_is_asked_arrives_or_is_told(asked: Asked) -> None:
    for kind, renamed in RENAMED.items():
        found = sent(KINDS[kind], asked, TARGET)
        note(f"{kind}: {found}")
        check_parameters(asked, found, renamed, NEUTRAL.get(kind, ()))
        check_model_and_stream(asked, found)
        if kind in VERBATIM:
            assert found.body["messages"] == asked.messages
        else:
            check_told(asked, found, THOUGHTS.get(kind, {}))


def check_model_and_stream(asked: Asked, found: Sent) -> None:
    """A stream is asked for with its usage."""
    assert parsed(found.body["model"]) == asked.request.model
    if asked.request.stream:
        assert found.body["stream"] == "true"
        assert members(found.body["stream_options"]) == {"include_usage": "true"}
    else:
        assert {"stream", "stream_options"}.isdisjoint(found.body)


def check_told(asked: Asked, found: Sent, renamed: Mapping[str, str]) -> None:
    got = parsed(found.body["messages"])
    if found.told("response_format") == "emulated":
        schema = parsed(asked.parameters["response_format"])["json_schema"]["schema"]
        assert parsed(got.pop()["content"].partition("\n")[2]) == schema
    check_messages(parsed(asked.messages), found, got, renamed)
