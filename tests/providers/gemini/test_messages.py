"""OpenAI's messages as Google's contents."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from support.for_each import for_each
from support.gemini_wire import FLASH, HI, HI_CONTENT, SIGNED, adapt, body, called, contents, result


def test_system_messages_become_one_system_instruction() -> None:
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
        *HI,
    ]
    assert body(messages) == {
        "contents": [HI_CONTENT],
        "systemInstruction": {"parts": [{"text": "Be kind."}, {"text": "Be brief."}]},
    }


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": "No."},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"role": "assistant", "content": None, "refusal": "No."},
    ],
)
def test_an_assistants_message_has_the_role_model(message: Any) -> None:
    assert contents(message) == [{"role": "model", "parts": [{"text": "No."}]}]


def test_parallel_tool_results_become_one_content_in_the_order_of_their_calls() -> None:
    written = contents(
        called(("call_0_r", "add", '{"a": 1}'), ("call_1_r", "mul", "")),
        result("call_1_r", "6"),
        result("call_0_r", "5"),
        *HI,
    )
    assert written == [
        {
            "role": "model",
            "parts": [
                {"functionCall": {"name": "add", "args": {"a": 1}}},
                {"functionCall": {"name": "mul", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "add", "response": {"output": "5"}}},
                {"functionResponse": {"name": "mul", "response": {"output": "6"}}},
            ],
        },
        HI_CONTENT,
    ]


@pytest.mark.parametrize(
    ("call_id", "shown"),
    [("call_46063", True), ("x8i00o1q", True), ("toolu_1", True), ("call_0_ab-C_1", False)],
)
def test_call_ids_are_sent_unless_the_gateway_made_them(call_id: str, shown: bool) -> None:
    model, tool = contents(called((call_id, "f", "{}")), result(call_id, "x"))
    ids = {"id": call_id} if shown else {}
    assert model["parts"] == [{"functionCall": {"name": "f", "args": {}, **ids}}]
    assert tool["parts"] == [
        {"functionResponse": {"name": "f", "response": {"output": "x"}, **ids}}
    ]


RESULTS: list[tuple[dict[str, Any], Any]] = [
    ({"content": "plain"}, {"output": "plain"}),
    ({"content": '{"a": 1}'}, {"a": 1}),
    ({"content": "[1, 2]"}, {"output": [1, 2]}),
    ({"content": "{broken"}, {"output": "{broken"}),
    ({"content": "5"}, {"output": "5"}),
    ({"content": "[" * 3000}, {"output": "[" * 3000}),
    ({"content": ""}, {"output": ""}),
    ({"content": "it broke", "is_error": True}, {"error": "it broke"}),
    ({"content": '{"code": 1}', "is_error": True}, {"error": {"code": 1}}),
    ({"content": '{"error": 1}', "is_error": True}, {"error": 1}),
    ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, {"output": "ab"}),
]


@for_each(("given", "response"), RESULTS, ids=[str(case[0]) for case in RESULTS])
def test_a_tool_result_becomes_an_object(given: dict[str, Any], response: Any) -> None:
    call = called(("id", "f", "{}"))
    written = contents(call, {"role": "tool", "tool_call_id": "id", **given})
    assert written[1]["parts"][0]["functionResponse"]["response"] == response


def test_a_tool_result_without_its_call_takes_its_own_name_or_id() -> None:
    assert [
        content["parts"][0]["functionResponse"]["name"]
        for content in (
            contents(result("gone", "x", name="f"))[0],
            contents(result("gone", "x"))[0],
        )
    ] == ["f", "gone"]


def test_a_deprecated_function_call_becomes_a_function_call() -> None:
    assert contents(
        {
            "role": "assistant",
            "content": None,
            "function_call": {"name": "f", "arguments": '{"a":1}'},
        },
        {"role": "function", "name": "f", "content": "x"},
    ) == [
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": 1}}}]},
        {
            "role": "user",
            "parts": [{"functionResponse": {"name": "f", "response": {"output": "x"}}}],
        },
    ]


PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aWc="}}
INLINE = {"inlineData": {"mimeType": "image/png", "data": "aWc="}}
LINK = {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}
LINKED = {"fileData": {"mimeType": "image/png", "fileUri": "https://x.test/a.png"}}


def response(**fields: Any) -> Any:
    return {"functionResponse": {"name": "f", "id": "i", "response": {"output": "see"}, **fields}}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            "gemini-3-flash-preview",
            [[response(parts=[INLINE]), response(parts=[INLINE])], [LINKED, LINKED]],
        ),
        ("gemini-2.5-pro", [[response(), response()], [INLINE, LINKED, INLINE, LINKED]]),
    ],
)
def test_media_of_tool_results_stand_inside_them_or_after_all_of_them(
    model: str, expected: list[list[Any]]
) -> None:
    seen = result("i", [{"type": "text", "text": "see"}, PICTURE, LINK])
    call = called(("i", "f", "{}"), reasoning_details=[{**SIGNED, "id": "i"}])
    written = contents(call, seen, seen, model=model)
    assert [content["parts"] for content in written[1:]] == expected
    assert [content["role"] for content in written[1:]] == ["user", "user"]


@pytest.mark.parametrize("arguments", ["{broken", "[1]", '"text"'])
def test_arguments_that_are_no_object_raise(arguments: str) -> None:
    with pytest.raises(msgspec.MsgspecError):
        contents(called(("a", "f", arguments)))


# --- Unsupported content --------------------------------------------------------------------------

CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
DETAIL = {"type": "reasoning.encrypted", "format": "google-gemini-v1", "id": "a", "data": "x"}
SIGNED_CALL = {**CALLING, "reasoning_details": [DETAIL]}
EXTRA_CONTENT = {
    **CALLING,
    "tool_calls": [{**CALL, "extra_content": {"google": {"thought_signature": "x"}}}],
}
LINKED_IMAGE = {"type": "image_url", "image_url": {"url": "https://x.test/a.png", "detail": "auto"}}
IMAGE_DATA = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aWc="}}
IMAGE_RESULT = {"role": "tool", "tool_call_id": "a", "content": [IMAGE_DATA]}
ANSWERED = {"role": "assistant", "content": "Yes", "reasoning_content": "Hm."}
MARKED = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
SYSTEM = {"role": "system", "content": "s"}
UNSIGNED = "emulated messages[].tool_calls: by skipping the check of thought signatures"
BEHIND = "emulated messages[].content: by sending media of tool results after them"
CACHED = "dropped cache_control: unsupported by Gemini, which caches implicitly"
UNSUPPORTED: list[tuple[str, list[Any], list[str]]] = [
    (FLASH, [SYSTEM, *HI, CALLING, {**IMAGE_RESULT, "name": "f", "content": "x"}], []),
    (FLASH, [{"role": "user", "content": [MARKED, MARKED]}], [CACHED]),
    (FLASH, [{**HI[0], "cache_control": {"type": "ephemeral"}}], [CACHED]),
    (FLASH, [{**HI[0], "name": "Ann"}], ["dropped messages[].name: unsupported by Gemini"]),
    (FLASH, [*HI, SYSTEM], ["emulated messages: by sending system messages first"]),
    (
        FLASH,
        [{"role": "user", "content": [{"type": "hologram"}]}],
        ["dropped messages[].content: unsupported type hologram"],
    ),
    (
        FLASH,
        [
            {
                "role": "user",
                "content": [{**LINKED_IMAGE, "image_url": {"url": "u:", "detail": "high"}}],
            }
        ],
        [
            "dropped messages[].content[].image_url.detail: unsupported by Gemini, which has one"
            " mediaResolution for all images"
        ],
    ),
    (FLASH, [*HI, CALLING, IMAGE_RESULT], [BEHIND]),
    (
        "gemini-3-pro-preview",
        [*HI, SIGNED_CALL, {**IMAGE_RESULT, "content": [LINKED_IMAGE]}],
        [BEHIND],
    ),
    (FLASH, [*HI, {**ANSWERED, "reasoning_details": [{"format": "google-gemini-v1"}]}], []),
    (
        FLASH,
        [*HI, ANSWERED],
        ["dropped messages[].reasoning_content: not signed by Google"],
    ),
    ("gemini-3-pro-preview", [*HI, SIGNED_CALL, IMAGE_RESULT], []),
    ("gemini-3-pro-preview", [*HI, EXTRA_CONTENT, IMAGE_RESULT], []),
    ("gemini-3-pro-preview", [*HI, CALLING, IMAGE_RESULT], [UNSIGNED]),
    ("gemini-3-pro-preview", [*HI, CALLING, IMAGE_RESULT, *HI], []),
    ("gemini-pro-latest", [*HI, CALLING, IMAGE_RESULT], [UNSIGNED]),
]


@for_each(("model", "messages", "noted"), UNSUPPORTED)
def test_unsupported_content_is_noted_once(
    model: str, messages: list[Any], noted: list[str]
) -> None:
    assert adapt({}, model, messages)[1] == noted
