from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.providers.text_rules import (
    continue_by_request,
    drop_blank_stops,
    drop_empty_answers,
    drop_empty_stops,
    drop_stops,
    fill_empty_messages,
    join_text_parts,
    last_assistant,
    limit_stops,
    remove_blank_texts,
    trim_last_message,
)
from headway.providers.wire_rules import Adapt
from headway.types import ChatRequest
from support.adapter_requests import chat
from support.for_each import for_each
from support.wire_rule_examples import HI, assistant, text, user

SYSTEM = {"role": "system", "content": "Be brief."}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING = {"role": "assistant", "content": " ", "tool_calls": [CALL]}
IMAGE = {"type": "image_url", "image_url": {"url": "https://a/b.png"}}
BLANK = "dropped messages[].content: text that is only white space"
EMPTY = "emulated messages[].content: an empty message as '(empty message)'"
TRIMMED = "dropped messages[].content: white space at the end of the last message"


def tool(content: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": "c", "content": content}


def after(transform: Adapt, *messages: Any) -> tuple[Any, list[str]]:
    """The messages after ``transform``, and the transformations as texts."""
    adapted, transformations = transform(chat("m", messages))
    return json.loads(bytes(adapted.messages)), [str(each) for each in transformations]


@pytest.mark.parametrize(
    "blank", [" ", "\n", "\t \r\n", "\f", "\u00a0", "\u2003", "\u3000", "\u1680"]
)
def test_a_text_of_white_space_is_left_out(blank: str) -> None:
    kept, told = after(remove_blank_texts, user([text("a"), text(blank), text("b")]))
    assert (kept, told) == ([user([text("a"), text("b")])], [BLANK])


@pytest.mark.parametrize("blank", ["", " ", [], [text("")], [text(" ")]])
def test_a_turn_of_the_user_without_content_says_that_it_is_empty(blank: Any) -> None:
    said = [HI, assistant("Hello"), user(blank), SYSTEM]
    kept, told = after(remove_blank_texts, *said)
    assert kept == [HI, assistant("Hello"), user("(empty message)"), SYSTEM]
    assert told[-1] == EMPTY


@pytest.mark.parametrize("others", [(HI, user(" ")), (user(" "), HI), (tool("1"), user(" "))])
def test_an_empty_message_beside_others_of_the_user_is_left_empty(others: Any) -> None:
    kept, told = after(remove_blank_texts, *others)
    assert "" in [message["content"] for message in kept]
    assert told == [BLANK]


@pytest.mark.parametrize(
    "message", [CALLING, tool("\n"), assistant([text("\n")]), SYSTEM | {"content": " "}]
)
def test_blank_content_of_other_roles_is_left_out(message: Any) -> None:
    kept, told = after(remove_blank_texts, HI, message)
    assert (kept, told) == ([HI, {**message, "content": ""}], [BLANK])


def test_an_empty_text_is_left_out_without_a_transformation() -> None:
    kept, told = after(remove_blank_texts, user([text("a"), text("")]), CALLING | {"content": ""})
    assert (kept[0], told) == (user([text("a")]), [])


@pytest.mark.parametrize("content", ["", "x ", [text(" x")], [IMAGE], None])
def test_messages_without_blank_texts_keep_their_bytes(content: Any) -> None:
    """The empty text of a message that calls a tool is what OpenAI's clients send."""
    request = chat("m", [HI, {"role": "assistant", "content": content, "tool_calls": [CALL]}])
    assert remove_blank_texts(request)[1] == ()


def test_a_name_that_only_looks_blank_is_no_change() -> None:
    raw = Raw(b'[{"role":"user",  "content":"\\u0041"}]')
    request = ChatRequest(model="m", messages=raw)
    assert remove_blank_texts(request) == (request, ())


NOTHING = ["", [], [text("")], [text(""), text("")]]


@for_each("content", NOTHING)
@for_each("role", ["assistant", "system", "developer"])
def test_a_message_that_says_nothing_is_left_out(role: str, content: Any) -> None:
    unused = {"refusal": None, "tool_calls": [], "annotations": [], "name": "n"}
    kept, told = after(drop_empty_answers, HI, {"role": role, "content": content, **unused}, HI)
    assert (kept, told) == ([HI, HI], ["dropped messages[]: a message without content"])


@pytest.mark.parametrize(
    "message",
    [
        CALLING | {"content": ""},
        assistant("") | {"refusal": "No."},
        assistant("") | {"reasoning_details": [{"type": "reasoning.text"}]},
        assistant("") | {"audio": {"id": "a"}},
        assistant([text(""), text(" ")]),
        assistant([text(""), IMAGE]),
        user(""),
        tool(""),
    ],
)
def test_a_message_that_says_something_is_kept(message: Any) -> None:
    assert after(drop_empty_answers, HI, message, HI) == ([HI, message, HI], [])


@pytest.mark.parametrize("content", NOTHING)
def test_every_empty_message_of_the_user_says_so(content: Any) -> None:
    kept, told = after(fill_empty_messages, HI, user(content), assistant(""), user(content))
    filled = user("(empty message)")
    assert (kept, told) == ([HI, filled, assistant(""), filled], [EMPTY])


@pytest.mark.parametrize("messages", [(HI,), (user(" "),), (assistant(""),), (user([IMAGE]),)])
def test_other_messages_are_not_filled(messages: Any) -> None:
    assert after(fill_empty_messages, *messages) == (list(messages), [])


@pytest.mark.parametrize("content", [" \n", [text(" ")], [text(""), text("\t")]])
def test_a_last_message_of_white_space_alone_is_left_out(content: Any) -> None:
    kept, told = after(trim_last_message, HI, assistant(content))
    assert kept == [HI] or kept[1]["content"][-1] == text("")
    assert told == [TRIMMED]


@pytest.mark.parametrize(
    ("content", "sent"),
    [("a \n", "a"), ([IMAGE, text("a\t")], [IMAGE, text("a")]), ([text(" a\n")], [text(" a")])],
)
def test_white_space_at_the_end_of_the_last_message_is_removed(content: Any, sent: Any) -> None:
    kept, told = after(trim_last_message, HI, assistant(content), SYSTEM)
    assert (kept, told) == ([HI, assistant(sent), SYSTEM], [TRIMMED])


@pytest.mark.parametrize(
    "messages",
    [
        (HI, assistant("a "), HI),
        (HI, assistant("a")),
        (HI, assistant([IMAGE])),
        (HI, assistant(None)),
        (HI, CALLING),
        (SYSTEM,),
    ],
)
def test_other_messages_keep_their_white_space(messages: Any) -> None:
    assert after(trim_last_message, *messages) == (list(messages), [])


def test_a_model_without_prefill_is_asked_to_continue() -> None:
    kept, told = after(continue_by_request, HI, assistant("One,"), SYSTEM)
    assert [message["role"] for message in kept] == ["user", "assistant", "user", "system"]
    assert told == ["emulated messages: the continued answer, by asking the model to continue"]
    assert after(continue_by_request, HI, CALLING, tool("1"))[1] == []
    assert after(continue_by_request, HI)[1] == []
    prefix = assistant("One,") | {"prefix": True}
    assert after(continue_by_request, HI, prefix) == ([HI, prefix], [])


def test_a_conversation_of_the_system_alone_has_no_last_assistant() -> None:
    assert last_assistant([SYSTEM]) is None


def test_text_parts_are_joined() -> None:
    marked = {**text("b"), "cache_control": {}}
    kept, told = after(join_text_parts, user([text("a"), marked]), tool([text("1")]), user([IMAGE]))
    assert kept == [user("ab"), tool("1"), user([IMAGE])]
    assert told == [
        "emulated messages[].content: text parts joined to one string",
        "dropped messages[].content[].cache_control: the content is sent as a string",
    ]
    refusal = {"type": "refusal", "refusal": "No."}
    joined = after(join_text_parts, user([]), assistant([text("a"), refusal]))
    assert joined == ([user(""), assistant("aNo.")], told[:1])


@pytest.mark.parametrize(
    ("stop", "blank", "empty"),
    [
        ("\n", None, "\n"),
        ("", None, None),
        (["", " ", "END"], ["END"], [" ", "END"]),
        ("END", "END", "END"),
        (None, None, None),
    ],
)
def test_stop_sequences_that_stop_nothing_are_dropped(stop: Any, blank: Any, empty: Any) -> None:
    request = chat("m", [HI], stop=stop)
    for transform, expected in ((drop_blank_stops, blank), (drop_empty_stops, empty)):
        adapted, told = transform(request)
        sent = adapted.parameters.get("stop")
        assert (None if sent is None else json.loads(bytes(sent))) == expected
        assert bool(told) is (expected != stop)
    assert drop_blank_stops(chat("m", [HI])) == (chat("m", [HI]), ())


def test_stop_sequences_of_models_without_them_are_dropped() -> None:
    drop = drop_stops("unsupported")
    for given in ("END", ["a", "b"]):
        adapted, told = drop(chat("m", [HI], stop=given, seed=1))
        assert list(adapted.parameters) == ["seed"]
        assert [str(each) for each in told] == ["dropped stop: unsupported"]
    for request in (chat("m", [HI], stop=None), chat("m", [HI])):
        assert drop(request) == (request, ())


def test_as_many_stop_sequences_as_the_limit_are_sent() -> None:
    request = chat("m", [HI], stop=["a", "b"])
    assert limit_stops("X", 2)(request) == (request, ())
