"""OpenAI's chat messages, parsed for wires of another kind."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from headway.providers import chat_messages as messages
from headway.types import ChatRequest


def request(chat: object = (), **parameters: object) -> ChatRequest:
    return ChatRequest(
        model="m",
        messages=Raw(msgspec.json.encode(chat)),
        parameters={name: Raw(msgspec.json.encode(value)) for name, value in parameters.items()},
    )


def test_a_text_and_a_list_of_parts_are_both_parts() -> None:
    chat = [
        {"role": "user", "content": "Hi"},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": ""},
        {"role": "assistant"},
    ]
    found = messages.messages_of(request(chat))
    assert [[part.text for part in message.parts] for message in found] == [
        ["Hi"],
        ["a", "b"],
        [],
        [],
    ]
    assert [message.text for message in found] == ["Hi", "ab", "", ""]


def test_what_is_no_message_is_named() -> None:
    with pytest.raises(msgspec.ValidationError, match="role"):
        messages.messages_of(request([{"content": "Hi"}]))


def test_tools_and_formats_that_were_not_given_are_none() -> None:
    assert messages.tools_of(request()) == []
    assert messages.response_format_of(request()) is None
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    (found,) = messages.tools_of(request(tools=[tool]))
    assert found.function is not None
    assert found.function.name == "look"
    given = messages.response_format_of(request(response_format={"type": "json_object"}))
    assert given is not None
    assert given.type == "json_object"


@pytest.mark.parametrize(("given", "stops"), [("a", ["a"]), (["a", "b"], ["a", "b"]), (None, [])])
def test_stops_are_a_list(given: object, stops: list[str]) -> None:
    assert messages.stops_of(request(stop=given)) == stops


@pytest.mark.parametrize(
    ("parameters", "level", "most"),
    [
        ({}, None, None),
        ({"reasoning_effort": "low"}, "low", None),
        ({"reasoning": {"effort": "high"}}, "high", None),
        ({"reasoning": {"max_tokens": 1024}}, None, 1024),
        ({"reasoning_effort": "low", "reasoning": {"effort": "high"}}, "low", None),
        ({"reasoning": None}, None, None),
    ],
)
def test_effort_is_read_under_both_its_names(
    parameters: dict[str, object], level: str | None, most: int | None
) -> None:
    assert messages.effort_of(request(**parameters)) == messages.Effort(level, most)


@pytest.mark.parametrize(
    ("parameters", "most"),
    [
        ({}, None),
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 6}, 6),
        ({"max_tokens": 5, "max_completion_tokens": 6}, 6),
    ],
)
def test_the_newer_limit_wins(parameters: dict[str, object], most: int | None) -> None:
    assert messages.limit_of(request(**parameters)) == most


def test_what_is_not_known_passes_through() -> None:
    rest = messages.rest_of(request(seed=1, top_p=0.5), frozenset({"seed"}))
    assert {name: bytes(raw) for name, raw in rest.items()} == {"top_p": b"0.5"}


@pytest.mark.parametrize(
    ("url", "media"),
    [
        ("https://a.example/b.png", messages.Media(url="https://a.example/b.png")),
        ("data:image/png;base64,AAAA", messages.Media("image/png", "AAAA")),
        ("data:,text", messages.Media(None, "text")),
    ],
)
def test_a_data_url_is_taken_apart(url: str, media: messages.Media) -> None:
    assert messages.media_of(url) == media
