"""OpenAI's messages become Bedrock's content blocks."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import RequestError
from headway.providers.wire_formats import BEDROCK
from support.bedrock_requests import B64, CLAUDE, MARK, NOVA, PNG, POINT, chat, sent
from support.for_each import for_each

BASE_URL = BEDROCK.base_url or ""


visible_texts = st.text(min_size=1).filter(str.strip)


def user(*parts: Any) -> list[Any]:
    return [{"role": "user", "content": list(parts)}]


TOOL = {"type": "function", "function": {"name": "f", "parameters": {"properties": {}}}}


# --- Messages -------------------------------------------------------------------------------------

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1.50}'}}
LONG = "x" * 65
MADE = f"call_{sha256(LONG.encode()).hexdigest()[:24]}"


def used(call_id: str) -> Any:
    return {"toolUse": {"toolUseId": call_id, "name": "f", "input": {"a": 1.5}}}


USED = {"toolUse": {"toolUseId": "c1", "name": "f", "input": {"a": 1.5}}}

CONVERSATIONS: dict[str, tuple[list[Any], list[Any], list[Any]]] = {
    "system messages are hoisted, and neighbours of one role are one turn": (
        [
            {"role": "system", "content": "a"},
            {"role": "user", "content": "b"},
            {"role": "developer", "content": [{"type": "text", "text": "c"}]},
            {"role": "user", "content": "d"},
            {"role": "assistant", "content": "e"},
        ],
        [{"text": "a"}, {"text": "c"}],
        [
            {"role": "user", "content": [{"text": "b"}, {"text": "d"}]},
            {"role": "assistant", "content": [{"text": "e"}]},
        ],
    ),
    "empty texts are not sent": (
        [
            *user({"type": "text", "text": ""}, {"type": "text"}),
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": ""},
            {"role": "assistant", "content": None, "refusal": "no"},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "never"}]},
            {"role": "assistant", "content": [{"type": "refusal"}]},
        ],
        [],
        [
            {"role": "user", "content": [{"text": "a"}]},
            {"role": "assistant", "content": [{"text": "no"}, {"text": "never"}]},
        ],
    ),
    "marks for the cache stand behind what they mark": (
        [
            {"role": "system", "content": [{"type": "text", "text": "a", "cache_control": MARK}]},
            {"role": "user", "content": "b", "cache_control": {**MARK, "ttl": "1h"}},
        ],
        [{"text": "a"}, POINT],
        [
            {
                "role": "user",
                "content": [{"text": "b"}, {"cachePoint": {"type": "default", "ttl": "1h"}}],
            }
        ],
    ),
    "calls and their results": (
        [
            {"role": "user", "content": "q"},
            {
                "role": "assistant",
                "content": "wait",
                "tool_calls": [CALL, {**CALL, "id": "c 2"}, {**CALL, "id": LONG}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "r", "cache_control": MARK},
            {"role": "tool", "tool_call_id": "c 2", "content": "", "is_error": True},
            {
                "role": "tool",
                "tool_call_id": LONG,
                "content": [
                    {"type": "text", "text": "t", "cache_control": MARK},
                    {"type": "image_url", "image_url": {"url": PNG}},
                ],
            },
        ],
        [],
        [
            {"role": "user", "content": [{"text": "q"}]},
            {
                "role": "assistant",
                "content": [{"text": "wait"}, USED, used("c_2"), used(MADE)],
            },
            {
                "role": "user",
                "content": [
                    {"toolResult": {"toolUseId": "c1", "content": [{"text": "r"}]}},
                    POINT,
                    {
                        "toolResult": {
                            "toolUseId": "c_2",
                            "content": [{"text": "(no output)"}],
                            "status": "error",
                        }
                    },
                    {
                        "toolResult": {
                            "toolUseId": MADE,
                            "content": [
                                {"text": "t"},
                                {"image": {"format": "png", "source": {"bytes": B64}}},
                            ],
                        }
                    },
                    POINT,
                ],
            },
        ],
    ),
    "the deprecated function calls are numbered": (
        [
            {"role": "user", "content": "q"},
            {"role": "assistant", "function_call": {"name": "f", "arguments": ""}},
            {"role": "function", "name": "f", "content": "r"},
        ],
        [],
        [
            {"role": "user", "content": [{"text": "q"}]},
            {
                "role": "assistant",
                "content": [
                    {"toolUse": {"toolUseId": "function_call_1", "name": "f", "input": {}}}
                ],
            },
            {
                "role": "user",
                "content": [
                    {"toolResult": {"toolUseId": "function_call_1", "content": [{"text": "r"}]}}
                ],
            },
        ],
    ),
    "what was thought and done comes back in its place": (
        [
            {"role": "user", "content": "q"},
            {
                "role": "assistant",
                "content": "a",
                "reasoning_content": "hm",
                "reasoning_details": [
                    {
                        "type": "reasoning.text",
                        "text": "hm",
                        "signature": "sig",
                        "format": "anthropic-claude-v1",
                        "index": 2,
                    },
                    {
                        "type": "reasoning.encrypted",
                        "data": "abc",
                        "format": "anthropic-claude-v1",
                        "index": 0,
                    },
                    {
                        "type": "reasoning.encrypted",
                        "data": "own",
                        "format": "bedrock-converse-v1",
                        "index": 3,
                    },
                    {"type": "reasoning.text", "text": "x", "format": "anthropic-claude-v1"},
                    {"type": "reasoning.text", "text": "x", "signature": "s", "format": "other"},
                ],
                "content_blocks": [
                    {"toolUse": {"name": "n", "type": "server_tool_use"}, "index": 1},
                    {"type": "server_tool_use", "index": 1},
                ],
            },
        ],
        [],
        [
            {"role": "user", "content": [{"text": "q"}]},
            {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"redactedContent": b64encode(b"abc").decode()}},
                    {"toolUse": {"name": "n", "type": "server_tool_use"}},
                    {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
                    {"reasoningContent": {"redactedContent": "own"}},
                    {"text": "a"},
                ],
            },
        ],
    ),
}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_messages_are_converted_to_blocks(name: str) -> None:
    messages, system, turns = CONVERSATIONS[name]
    body = sent(chat(CLAUDE, messages, tools=[TOOL]))
    assert body["messages"] == turns
    assert body.get("system", []) == system


def document(name: str, kind: str, **more: Any) -> Any:
    return {"document": {"format": kind, "name": name, "source": {"bytes": B64}, **more}}


def file(data: str, filename: str | None = None, **more: Any) -> Any:
    return {"type": "file", "file": {"file_data": data, "filename": filename}, **more}


S3_IMAGE = {"s3Location": {"uri": "s3://bucket/a.JPG"}}
PARTS: list[tuple[Any, Any]] = [
    ({"type": "image_url", "image_url": {"url": PNG}}, ("image", "png", {"bytes": B64})),
    (
        {"type": "image_url", "image_url": f"data:image/jpg;base64,{B64}"},
        ("image", "jpeg", {"bytes": B64}),
    ),
    ({"type": "image_url", "image_url": "s3://bucket/a.JPG"}, ("image", "jpeg", S3_IMAGE)),
    (
        {"type": "video_url", "video_url": {"url": f"data:video/3gpp;base64,{B64}"}},
        ("video", "three_gp", {"bytes": B64}),
    ),
    (
        {"type": "video_url", "video_url": "s3://bucket/film.mov"},
        ("video", "mov", {"s3Location": {"uri": "s3://bucket/film.mov"}}),
    ),
    (
        {"type": "input_audio", "input_audio": {"data": B64, "format": "wav"}},
        ("audio", "wav", {"bytes": B64}),
    ),
    (file(f"data:application/pdf;base64,{B64}", "Q3 report_v1.0.pdf"),
     document("Q3 report v1 0", "pdf")),
    (file(B64, "table.xlsx"), document("table", "xlsx")),
    (file(f"data:text/markdown;base64,{B64}"), document("document", "md")),
    (file(B64, "page.htm", title="§"), document("document", "html")),
    (file(B64, "x.txt", title="T", context="c"), document("T", "txt", context="c")),
    (file(PNG, "a.png"), ("image", "png", {"bytes": B64})),
    (
        file("s3://bucket/a.pdf", "a.pdf"),
        {"document": {"format": "pdf", "name": "a",
                      "source": {"s3Location": {"uri": "s3://bucket/a.pdf"}}}},
    ),
    (
        file(B64, "x.txt", citations={"enabled": True}),
        {"document": {"format": "txt", "name": "x", "source": {"text": "bytes"},
                      "citations": {"enabled": True}}},
    ),
    ({"guardContent": {"text": {"text": "x"}}}, {"guardContent": {"text": {"text": "x"}}}),
    (
        {"type": "search_result", "source": "s", "title": "t",
         "content": [{"type": "text", "text": "c"}]},
        {"searchResult": {"source": "s", "title": "t", "content": [{"text": "c"}]}},
    ),
]  # fmt: skip


@for_each(("part", "expected"), PARTS)
def test_parts_are_converted_to_blocks(part: Any, expected: Any) -> None:
    if isinstance(expected, tuple):
        name, kind, source = expected
        expected = {name: {"format": kind, "source": source}}
    (turn,) = sent(chat(NOVA, user(part)))["messages"]
    assert turn["content"][:1] == [expected]


def test_documents_of_the_same_name_get_numbers_even_in_tool_results() -> None:
    one = file(B64, "a.txt")
    result = {"role": "tool", "tool_call_id": "c1", "content": [one]}
    first = {"role": "assistant", "tool_calls": [CALL]}
    body = sent(chat(NOVA, [*user(one, one), first, result]))
    names = [block["document"]["name"] for block in body["messages"][0]["content"][:2]]
    inner = body["messages"][2]["content"][0]["toolResult"]["content"][0]
    assert [*names, inner["document"]["name"]] == ["a", "a 2", "a 3"]


REFUSED = [
    ({"type": "image_url", "image_url": {"url": "https://x/a.png"}}, "nothing from the web"),
    ({"type": "image_url", "image_url": {"url": "https://x/a"}}, "nothing from the web"),
    ({"type": "image_url", "image_url": {}}, "has no url"),
    ({"type": "image_url", "image_url": "data:image/tiff;base64,AA"}, "type image/tiff, but png"),
    ({"type": "video_url", "video_url": "s3://b/a.txt"}, r"no video of type \.txt"),
    (file(B64, "a.zip"), r"no file of type \.zip, but pdf, csv"),
    ({"type": "file", "file": {"file_id": "f"}}, "keeps no files by id"),
    (file("!!!", "a.txt", citations={"enabled": True}), "is not UTF-8 in base64"),
    ({"type": "hologram"}, "takes no hologram parts"),
]


@pytest.mark.parametrize(("part", "why"), REFUSED)
def test_unsupported_parts_are_rejected(part: Any, why: str) -> None:
    with pytest.raises(RequestError, match=why) as caught:
        sent(chat(NOVA, user(part)))
    assert caught.value.param == "messages"


def test_an_unknown_role_is_rejected() -> None:
    with pytest.raises(RequestError, match="no role 'critic'"):
        sent(chat(NOVA, [{"role": "critic", "content": "x"}]))


def test_arguments_that_are_not_an_object_become_one() -> None:
    call = {"id": "c", "function": {"name": "f", "arguments": "[1]"}}
    body = sent(chat(NOVA, [{"role": "assistant", "tool_calls": [call]}]))
    assert body["messages"][1]["content"][0]["toolUse"]["input"] == {"arguments": [1]}


@given(visible_texts, visible_texts, st.dictionaries(st.text(), st.integers()))
def test_any_text_and_any_arguments_are_sent_unchanged(
    said: str, done: str, arguments: Any
) -> None:
    function = {"name": "f", "arguments": json.dumps(arguments)}
    messages = [
        {"role": "user", "content": said},
        {"role": "assistant", "tool_calls": [{"id": "c", "function": function}]},
        {"role": "tool", "tool_call_id": "c", "content": done},
    ]
    first, second, third = sent(chat(NOVA, messages, tools=[TOOL]))["messages"]
    assert first["content"] == [{"text": said}]
    assert second["content"][0]["toolUse"]["input"] == arguments
    assert third["content"][0]["toolResult"]["content"] == [{"text": done}]
