"""Any request is sent whole or its transformations say what is not, and any response is decoded:
OpenAI, and vendors with its wire format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given, note
from hypothesis import strategies as st
from msgspec.structs import replace

from headway.providers import KINDS
from headway.providers.text_rules import continue_by_request, trim_last_message
from headway.providers.wire_rules import chain
from headway.types import Target
from support.chat_request_strategies import (
    GeneratedRequest,
    Names,
    Sent,
    asking,
    check_messages,
    check_parameters,
    members,
    parsed,
    sent,
)
from support.chat_response_strategies import (
    Whole,
    Writer,
    answers,
    cited,
    counted,
    counts,
    expected,
    read_stream,
    read_whole,
    seen,
    some,
    streams,
    whole,
    words,
)

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
"""The parameters that each vendor renames, by its documentation."""
VERBATIM = ("openai", "azure_openai", "openrouter")
"""Vendors that take every field of a message."""
NEUTRAL = {"groq": ("frequency_penalty", "presence_penalty")}
LAST_MESSAGE = {"deepseek": (trim_last_message, continue_by_request)}
"""What is done about a last message of the assistant's."""
RENAMED_FIELDS = {"groq": {"reasoning_content": "reasoning"}}


# --- Requests -------------------------------------------------------------------------------------


@given(generated=asking(MODELS))
def test_a_request_is_sent_completely_or_its_transformations_are_listed(
    generated: GeneratedRequest,
) -> None:
    for kind, renamed in RENAMED.items():
        found = sent(KINDS[kind], generated, TARGET)
        note(f"{kind}: {found}")
        check_parameters(generated, found, renamed, NEUTRAL.get(kind, ()))
        check_model_and_stream(generated, found)
        has_details = kind != "openrouter" and '"reasoning_details"' in generated.messages
        if kind in VERBATIM and not has_details:
            assert found.body["messages"] == generated.messages
        else:
            ordered, _ = chain(LAST_MESSAGE.get(kind, ()), generated.request)
            given = parsed(bytes(ordered.messages).decode())
            check_sent_messages(generated, given, found, RENAMED_FIELDS.get(kind, {}))


def check_model_and_stream(generated: GeneratedRequest, found: Sent) -> None:
    """A stream is requested with its usage."""
    assert parsed(found.body["model"]) == generated.request.model
    if generated.request.stream:
        assert found.body["stream"] == "true"
        assert members(found.body["stream_options"]) == {"include_usage": "true"}
    else:
        assert {"stream", "stream_options"}.isdisjoint(found.body)


def check_sent_messages(
    generated: GeneratedRequest, given: list[Any], found: Sent, renamed: Mapping[str, str]
) -> None:
    got = parsed(found.body["messages"])
    if any(change.reason.endswith("because there are tools") for change in found.changes):
        roles = [*(message["role"] in ("system", "developer") for message in given), False]
        del got[roles.index(False)]
    elif found.action_on("response_format") == "emulated":
        schema = parsed(generated.parameters["response_format"])["json_schema"]["schema"]
        assert parsed(got.pop()["content"].partition("\n")[2]) == schema
    check_messages(given, found, got, renamed)


# --- Responses ------------------------------------------------------------------------------------

audio_fields = st.none() | st.tuples(some, some)


@given(
    data=st.data(),
    answer=answers(audio=audio_fields, annotations=st.lists(cited, max_size=2).map(tuple)),
)
def test_a_response_of_openai_is_decoded_whole_and_streamed(
    data: st.DataObject, answer: Whole
) -> None:
    provider = KINDS["openai"]
    wanted = expected(answer, counted(answer.usage))
    assert seen(read_whole(provider, whole(answer))) == wanted
    assert seen(read_stream(provider, data.draw(streams(answer)))) == wanted


FILTERS = {"hate": {"filtered": False, "severity": "safe"}}
PROMPT_FILTERS = [{"prompt_index": 0, "content_filter_results": FILTERS}]
AZURE = Writer(
    opening=(
        {"choices": [], "created": 0, "id": "", "model": "", "object": "",
         "prompt_filter_results": PROMPT_FILTERS},
    ),
    choice_fields={"content_filter_results": FILTERS},
)  # fmt: skip


@given(data=st.data(), answer=answers())
def test_a_response_of_azure_has_its_filter_results(data: st.DataObject, answer: Whole) -> None:
    provider = KINDS["azure_openai"]
    wanted = expected(answer, counted(answer.usage), AZURE.choice_fields)
    assert seen(read_whole(provider, whole(answer, AZURE))) == wanted
    wanted["choices"][0]["prompt_filter_results"] = PROMPT_FILTERS
    assert seen(read_stream(provider, data.draw(streams(answer, AZURE)))) == wanted


GROQ = Writer(
    thought=lambda text: {"reasoning": text},
    usage=lambda usage: {"x_groq": {"id": "req_1", "usage": usage}},
    usage_at_finish=True,
)
"""Usage is in the last chunk that has a choice (console.groq.com/docs/api-reference)."""


@given(data=st.data(), answer=answers())
def test_a_response_of_groq_has_usage_in_x_groq(data: st.DataObject, answer: Whole) -> None:
    provider = KINDS["groq"]
    wanted = expected(answer, counted(answer.usage))
    assert seen(read_whole(provider, whole(answer, GROQ))) == wanted
    assert seen(read_stream(provider, data.draw(streams(answer, GROQ)))) == wanted


DEEPSEEK = Writer(usage=lambda usage: {"usage": usage}, usage_at_finish=True)
cache_hits = st.fixed_dictionaries(
    {
        "prompt_tokens": counts,
        "completion_tokens": counts,
        "total_tokens": counts,
        "prompt_cache_hit_tokens": counts,
        "prompt_cache_miss_tokens": counts,
    }
)


@given(data=st.data(), answer=answers(cache_hits))
def test_a_response_of_deepseek_has_its_cached_tokens(data: st.DataObject, answer: Whole) -> None:
    provider = KINDS["deepseek"]
    usage = counted(answer.usage)
    if usage is not None and answer.usage is not None:
        usage = replace(usage, cache_read_tokens=answer.usage["prompt_cache_hit_tokens"])
    wanted = expected(answer, usage)
    assert seen(read_whole(provider, whole(answer, DEEPSEEK))) == wanted
    assert seen(read_stream(provider, data.draw(streams(answer, DEEPSEEK)))) == wanted


def with_reasoning_text(details: list[dict[str, Any]]) -> dict[str, Any]:
    """OpenRouter's reasoning details, together with their text."""
    text = "".join(one.get("text") or one.get("summary") or "" for one in details)
    return {"reasoning_details": details, "reasoning": text or None}


BLOCKS = (("text", "text"), ("summary", "summary"), ("encrypted", "data"))


@st.composite
def blocks(draw: st.DrawFn) -> tuple[dict[str, Any], ...]:
    """With or without ``index``, by which pieces of one detail are joined."""
    found = []
    is_numbered = draw(st.booleans())
    for index in range(draw(st.integers(0, 3))):
        kind, name = draw(st.sampled_from(BLOCKS))
        detail = {"type": f"reasoning.{kind}", name: draw(words), "format": "anthropic-claude-v1"}
        found.append({**detail, "index": index} if is_numbered else detail)
    return tuple(found)


@given(
    data=st.data(),
    answer=answers(reasoning=st.just(""), details=blocks()),
    has_text=st.booleans(),
)
def test_a_response_of_openrouter_has_reasoning_details(
    data: st.DataObject, answer: Whole, has_text: bool
) -> None:
    provider = KINDS["openrouter"]
    writer = Writer(block=with_reasoning_text) if has_text else Writer()
    wanted = expected(answer, counted(answer.usage))
    for choice, said in zip(wanted["choices"], answer.choices, strict=True):
        choice["reasoning"] = with_reasoning_text(list(said.details))["reasoning"] or ""
    assert seen(read_whole(provider, whole(answer, writer))) == wanted
    assert seen(read_stream(provider, data.draw(streams(answer, writer)))) == wanted
