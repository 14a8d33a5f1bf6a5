from __future__ import annotations

import json
from typing import Any

import pytest

from headway.providers import KINDS
from headway.providers.role_rules import (
    alternate_roles,
    answer_tools_first,
    begin_with_user,
    last_system_as_user,
    move_system_first,
)
from headway.providers.wire_rules import Adapt
from support.adapter_requests import chat
from support.for_each import for_each
from support.wire_rule_examples import (
    CALLING,
    FLAT_FORMAT,
    HI,
    IMAGE,
    RESULT,
    SYSTEM,
    assistant,
    text,
    user,
)


def after(transform: Adapt, *messages: Any) -> tuple[Any, list[str]]:
    """The messages after ``transform``, and the transformations as texts."""
    adapted, transformations = transform(chat("m", messages))
    return json.loads(bytes(adapted.messages)), [str(each) for each in transformations]


def roles(messages: Any) -> list[str]:
    return [message["role"] for message in messages]


@pytest.mark.parametrize("others", [[], [SYSTEM], [{"role": "developer", "content": "a"}]])
def test_a_system_message_alone_is_the_users(others: list[Any]) -> None:
    kept, told = after(last_system_as_user, *others, SYSTEM)
    assert kept == [*others, user("Be brief.")]
    assert told == ["emulated messages: a system message alone, as the user's"]


@pytest.mark.parametrize("messages", [[], [SYSTEM, HI], [SYSTEM, assistant("a")], [RESULT]])
def test_other_conversations_keep_their_system_messages(messages: Any) -> None:
    assert after(last_system_as_user, *messages) == (messages, [])


def test_a_conversation_that_begins_with_the_assistant_gets_a_beginning() -> None:
    kept, told = after(begin_with_user, SYSTEM, assistant("Hello."), HI)
    assert kept == [SYSTEM, user("(start of the conversation)"), assistant("Hello."), HI]
    assert len(told) == 1


@pytest.mark.parametrize("messages", [[HI, assistant("a")], [HI], [SYSTEM | {"name": "assistant"}]])
def test_a_conversation_that_begins_with_the_user_is_left_alone(messages: Any) -> None:
    assert after(begin_with_user, *messages) == (messages, [])


def test_messages_of_one_role_in_a_row_become_one() -> None:
    kept, told = after(
        alternate_roles, HI, user([text("b"), IMAGE]), assistant("c"), SYSTEM, assistant("d"),
        CALLING, RESULT, RESULT, user("e"), user("f"), user(None),
    )  # fmt: skip
    assert kept == [
        SYSTEM, user([text("Hi"), text("b"), IMAGE]), assistant("c\n\nd"), CALLING, RESULT, RESULT,
        user([text("e\n\nf")]),
    ]  # fmt: skip
    assert told == [
        "emulated messages: system messages moved before all others",
        "emulated messages: messages of one role in a row, as one message",
    ]


def test_messages_in_turns_are_left_alone() -> None:
    request = chat("m", [SYSTEM, HI, assistant("a"), HI])
    assert alternate_roles(request) == (request, ())


def test_the_user_does_not_follow_a_tool() -> None:
    kept, told = after(answer_tools_first, HI, CALLING, RESULT, RESULT, HI, CALLING, RESULT)
    expected = ["user", "assistant", "tool", "tool", "assistant", "user", "assistant", "tool"]
    assert roles(kept) == expected
    assert len(told) == 1
    assert after(answer_tools_first, HI, CALLING, RESULT, assistant("a"), HI)[1] == []
    assert after(answer_tools_first, HI)[1] == []


def test_a_function_s_result_is_a_tool_s() -> None:
    result = {"role": "function", "name": "f", "content": "42"}
    assert roles(after(answer_tools_first, HI, result, HI)[0])[2] == "assistant"


@pytest.mark.parametrize("role", ["system", "developer"])
@pytest.mark.parametrize("before", [[assistant("Hello.")], [CALLING, RESULT]])
def test_system_messages_that_follow_no_user_are_first(before: Any, role: str) -> None:
    late = {"role": role, "content": "Late."}
    kept, told = after(move_system_first, HI, SYSTEM, *before, late, HI)
    assert kept == [SYSTEM, late, HI, *before, HI]
    assert told == ["emulated messages: system messages moved before all others"]


@pytest.mark.parametrize(
    "messages",
    [[HI, SYSTEM, assistant("a"), HI], [SYSTEM, SYSTEM, assistant("a")], [HI, assistant("a")]],
)
def test_system_messages_that_follow_the_user_stay(messages: Any) -> None:
    assert after(move_system_first, *messages) == (messages, [])


@pytest.mark.parametrize(
    ("model", "is_separated"),
    [("anthropic.claude-opus-4", False), ("us.meta.llama4-maverick-17b-instruct-v1:0", True)],
)
def test_only_claude_takes_a_result_and_a_question_in_one_turn(
    model: str, is_separated: bool
) -> None:
    adapted, told = KINDS["bedrock"].adapt(chat(model, [HI, CALLING, RESULT, HI]))
    assert ("assistant" in roles(json.loads(bytes(adapted.messages)))[3:]) is is_separated
    assert any("after a tool's" in str(each) for each in told) is is_separated


@for_each(
    ("parameters", "is_continued"),
    [
        ({}, True),
        ({"reasoning_effort": "none"}, True),
        ({"thinking": {"type": "disabled"}}, True),
        ({"reasoning": {"enabled": False}}, True),
        ({"reasoning_effort": "low"}, False),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, False),
        ({"reasoning": {"max_tokens": 2000}}, False),
        ({"reasoning": {"effort": "high"}}, False),
        ({"reasoning": {"enabled": True}}, False),
        ({"response_format": {"type": "json_object"}}, True),
    ],
)
def test_claude_continues_its_message_unless_it_thinks(
    parameters: dict[str, Any], is_continued: bool
) -> None:
    for kind, model in (("anthropic", "claude-sonnet-4-5"), ("bedrock", "anthropic.claude-opus-4")):
        request = chat(model, [HI, assistant("One,")], **parameters)
        adapted, _ = KINDS[kind].adapt(request)
        said = [each for each in json.loads(bytes(adapted.messages)) if each["role"] != "system"]
        assert (roles(said)[-1] == "assistant") is is_continued


@pytest.mark.parametrize(("model", "is_continued"), [("4-5", False), ("4", True)])
def test_claude_continues_no_message_where_it_answers_by_a_schema(
    model: str, is_continued: bool
) -> None:
    request = chat(f"claude-sonnet-{model}", [HI, assistant("{")], response_format=FLAT_FORMAT)
    adapted, _ = KINDS["anthropic"].adapt(request)
    said = [each for each in json.loads(bytes(adapted.messages)) if each["role"] != "system"]
    assert (roles(said)[-1] == "assistant") is is_continued
