"""OpenAI's requests as Mistral's, with the transformations."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Raw

from headway.providers.mistral import PROVIDER, encode_embeddings
from headway.types import ChatRequest, EmbeddingsRequest, Target
from support.for_each import for_each

TARGET = Target(provider="mistral", base_url="https://api.mistral.ai/v1", api_key="k")
HI = [{"role": "user", "content": "Hi"}]


def sent(
    messages: list[Any] | None = None, stream: bool = False, **parameters: Any
) -> tuple[dict[str, Any], list[str]]:
    request = ChatRequest(
        model="mistral-large-latest",
        messages=Raw(json.dumps(messages or HI).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in parameters.items()},
        stream=stream,
    )
    adapted, transformations = PROVIDER.adapt(request)
    body = json.loads(PROVIDER.encode_request(adapted, TARGET).body)
    return body, [str(each) for each in transformations]


PLAIN = {"model": "mistral-large-latest", "messages": HI}

# parameters, Mistral's parameters, the transformations
PARAMETERS: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"temperature": 0.5, "safe_prompt": True}, {"temperature": 0.5, "safe_prompt": True}, []),
    ({"seed": 7}, {"random_seed": 7}, ["renamed seed -> random_seed"]),
    (
        {"max_completion_tokens": 9},
        {"max_tokens": 9},
        ["renamed max_completion_tokens -> max_tokens"],
    ),
    ({"tool_choice": "required", "top_k": 5}, {"tool_choice": "required", "top_k": 5}, []),
    (
        {"max_tokens": 5, "max_completion_tokens": 9},
        {"max_tokens": 9},
        [
            "dropped max_tokens: max_completion_tokens is given too",
            "renamed max_completion_tokens -> max_tokens",
        ],
    ),
    ({"random_seed": 9, "seed": 9}, {"random_seed": 9}, ["renamed seed -> random_seed"]),
    ({"tool_choice": "auto"}, {"tool_choice": "auto"}, []),
    ({"logit_bias": {"1": 2}, "user": None}, {}, ["dropped logit_bias: unsupported by Mistral"]),
    (
        {"reasoning": {"effort": "high"}},
        {"reasoning_effort": "high"},
        ["renamed reasoning -> reasoning_effort"],
    ),
    (
        {"reasoning": {"max_tokens": 9}},
        {},
        ["dropped reasoning: only reasoning_effort is supported"],
    ),
    ({"reasoning": "yes"}, {}, ["dropped reasoning: only reasoning_effort is supported"]),
    (
        {"reasoning": {"effort": "low"}, "reasoning_effort": "high"},
        {"reasoning_effort": "high"},
        ["dropped reasoning: only reasoning_effort is supported"],
    ),
    ({"stream_options": {"include_usage": True}}, {}, []),
]


@for_each(("given", "wanted", "noted"), PARAMETERS)
def test_parameters_are_converted_to_mistrals(
    given: dict[str, Any], wanted: dict[str, Any], noted: list[str]
) -> None:
    assert sent(**given) == ({**PLAIN, **wanted}, noted)


# of OpenAI's and other providers' parameters, those that docs.mistral.ai/api does not have
FOREIGN_PARAMETERS = (
    "audio cache_control function_call functions logit_bias min_p modalities prompt_cache_retention"
    " safety_identifier store thinking user verbosity web_search_options"
)


@for_each("name", FOREIGN_PARAMETERS.split())
def test_a_parameter_that_mistral_lacks_is_dropped(name: str) -> None:
    assert sent(**{name: "a"}) == (PLAIN, [f"dropped {name}: unsupported by Mistral"])


def test_a_stream_is_requested_without_stream_options() -> None:
    assert sent(stream=True, stream_options={"include_usage": False})[0] == {
        **PLAIN,
        "stream": True,
    }


THINKING = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}

# a message, Mistral's message, the transformations
MESSAGES: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    (
        {"role": "assistant", "content": "8", "reasoning_content": "hm"},
        {"role": "assistant", "content": [THINKING, {"type": "text", "text": "8"}]},
        [],
    ),
    (
        {"role": "assistant", "content": None, "reasoning_content": "hm"},
        {"role": "assistant", "content": [THINKING]},
        [],
    ),
    (
        {"role": "assistant", "content": [{"type": "text", "text": "8"}], "reasoning_content": ""},
        {"role": "assistant", "content": [{"type": "text", "text": "8"}]},
        [],
    ),
    (
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "8"}],
            "reasoning_content": "hm",
        },
        {"role": "assistant", "content": [THINKING, {"type": "text", "text": "8"}]},
        [],
    ),
    (
        {"role": "assistant", "content": "8", "reasoning_details": [{}], "refusal": None},
        {"role": "assistant", "content": "8"},
        ["dropped messages[].reasoning_details: unsupported by Mistral"],
    ),
    (
        {"role": "assistant", "content": "8", "reasoning": "hm"},
        {"role": "assistant", "content": [THINKING, {"type": "text", "text": "8"}]},
        ["renamed messages[].reasoning -> reasoning_content"],
    ),
    (
        {"role": "assistant", "reasoning": "hm", "reasoning_content": "ah"},
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "ah"}]}],
        },
        ["dropped messages[].reasoning: reasoning_content is given too"],
    ),
    (
        {"role": "assistant", "reasoning": "hm", "reasoning_content": None},
        {"role": "assistant", "content": [THINKING]},
        ["renamed messages[].reasoning -> reasoning_content"],
    ),
    (
        {"role": "assistant", "content": None, "refusal": "No."},
        {"role": "assistant", "content": "No."},
        ["emulated messages[].refusal: as the message's content"],
    ),
    (
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"role": "assistant", "content": [{"type": "text", "text": "No."}]},
        ["emulated messages[].refusal: as the message's content"],
    ),
    (
        {"role": "developer", "content": "Be brief"},
        {"role": "user", "content": "Be brief"},
        ["emulated messages: a system message alone, as the user's"],
    ),
    (
        {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {}}]},
        {"role": "user", "content": [{"type": "text", "text": "a"}]},
        ["dropped messages[].content[].cache_control: unsupported by Mistral"],
    ),
    (
        {
            "role": "user",
            "content": [
                {"type": "file", "file": {"file_data": "data:x", "filename": "a.pdf"}},
                {"type": "file", "file": {"file_data": "https://a.example/b.pdf"}},
                {"type": "file", "file": {"file_id": "f1"}},
                {"type": "file", "file_id": "f2"},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "document_url", "document_url": "data:x", "document_name": "a.pdf"},
                {"type": "document_url", "document_url": "https://a.example/b.pdf"},
                {"type": "file", "file_id": "f1"},
                {"type": "file", "file_id": "f2"},
            ],
        },
        [],
    ),
]


@for_each(("given", "wanted", "noted"), MESSAGES)
def test_messages_are_converted_to_mistrals(
    given: dict[str, Any], wanted: dict[str, Any], noted: list[str]
) -> None:
    after = HI if given["role"] == "assistant" else []
    assert sent([given, *after]) == ({**PLAIN, "messages": [wanted, *after]}, noted)


def test_an_answer_alone_follows_the_start_and_is_continued() -> None:
    answer = {"role": "assistant", "content": "One,"}
    body, noted = sent([answer])
    start = {"role": "user", "content": "(start of the conversation)"}
    assert body["messages"] == [start, {**answer, "prefix": True}]
    assert len(noted) == 2


def test_messages_without_a_transformation_keep_their_bytes() -> None:
    raw = Raw(b'[ {"role":"user",  "content":"Hi"} ]')
    adapted, transformations = PROVIDER.adapt(ChatRequest(model="m", messages=raw))
    assert bytes(adapted.messages) == bytes(raw)
    assert transformations == ()


def test_other_fields_of_a_message_with_reasoning_keep_their_bytes() -> None:
    raw = b'[{"role":"assistant","content":[{"x":1.50}],"reasoning_content":"hm","y":1e400}]'
    adapted, _ = PROVIDER.adapt(ChatRequest(model="m", messages=Raw(raw)))
    assert b'{"x":1.50}' in bytes(adapted.messages)
    assert b'"y":1e400' in bytes(adapted.messages)


def test_transformations_of_given_parameters_are_listed_beside_default_ones() -> None:
    parameters = {"max_tokens": Raw(b"5"), "functions": Raw(b"[]")}
    request = ChatRequest(
        model="m", messages=Raw(b"[]"), parameters=parameters, uses_default_parameters=True
    )
    assert [each.parameter for each in PROVIDER.adapt(request)[1]] == ["functions"]


def test_default_parameters_are_all_sent() -> None:
    names = {"temperature": 1, "max_tokens": 2048, "top_p": 1, "presence_penalty": 0}
    body, noted = sent(**names)
    assert body == {**PLAIN, **names}
    assert noted == []


def test_embeddings_have_mistrals_name_of_dimensions_and_no_user() -> None:
    parameters = {"dimensions": Raw(b"8"), "user": Raw(b'"u"'), "output_dtype": Raw(b'"float"')}
    request = EmbeddingsRequest(model="m", input=Raw(b'["a"]'), parameters=parameters)
    assert json.loads(encode_embeddings(request, TARGET).body) == {
        "model": "m",
        "input": ["a"],
        "output_dimension": 8,
        "output_dtype": "float",
    }
