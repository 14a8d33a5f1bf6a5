"""OpenAI's chat messages and parameters, decoded for other wire formats."""

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


def test_content_is_a_list_of_parts_in_either_form() -> None:
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


def test_the_error_for_a_wrong_message_names_its_place() -> None:
    with pytest.raises(msgspec.ValidationError, match="role"):
        messages.messages_of(request([{"content": "Hi"}]))


def test_response_format_is_none_unless_given() -> None:
    assert messages.response_format_of(request()) is None
    given = messages.response_format_of(request(response_format={"type": "json_object"}))
    assert given is not None
    assert given.type == "json_object"


@pytest.mark.parametrize(("given", "stops"), [("a", ["a"]), (["a", "b"], ["a", "b"]), (None, [])])
def test_stop_sequences_are_a_list(given: object, stops: list[str]) -> None:
    assert messages.stop_sequences_of(request(stop=given)) == stops


@pytest.mark.parametrize(
    ("parameters", "maximum"),
    [
        ({}, None),
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 6}, 6),
        ({"max_tokens": 5, "max_completion_tokens": 6}, 6),
    ],
)
def test_max_completion_tokens_wins_over_max_tokens(
    parameters: dict[str, object], maximum: int | None
) -> None:
    assert messages.max_tokens_of(request(**parameters)) == maximum


def test_unknown_parameters_are_passed_on() -> None:
    rest = messages.other_parameters(request(seed=1, top_p=0.5), frozenset({"seed"}))
    assert {name: bytes(raw) for name, raw in rest.items()} == {"top_p": b"0.5"}


@pytest.mark.parametrize(
    ("url", "media"),
    [
        ("https://a.example/b.png", messages.Media(url="https://a.example/b.png")),
        ("data:image/png;base64,AAAA", messages.Media("image/png", "AAAA")),
        ("data:,text", messages.Media(None, "text")),
    ],
)
def test_a_data_url_is_parsed(url: str, media: messages.Media) -> None:
    assert messages.media_of(url) == media


def test_a_data_url_whose_head_does_not_end_is_read_at_once() -> None:
    """Within the time limit of a test: without bounds on its parts this takes minutes."""
    url = "data:" + ";" * 50_000_000
    assert messages.media_of(url).url == url
