"""A conversation stays with the provider that has a part of it."""

from __future__ import annotations

import json
from typing import Any

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.openai_responses.dialect import OpenAIResponses
from headway.pipeline import conversation_owners
from headway.pipeline.conversation_owners import ConversationOwners
from headway.routing.route import Shadow
from support.for_each import for_each
from support.pipeline_fakes import WHOLE
from support.routed_pipe import ROUTE, RoutedPipe, target

RESPONSES: Any = OpenAIResponses()
MESSAGES: Any = AnthropicMessages()
KINDS = {"one": "openai_responses", "two": "openai_responses", "three": "openai"}
ENCRYPTED = [{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}]
FILE = [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}]


def ask(pipe: RoutedPipe, given: Any, dialect: Dialect = RESPONSES, **fields: Any) -> None:
    body = {"model": ROUTE, "input": given, **fields}
    pipe.send(ClientRequest("", (), json.dumps(body).encode()), dialect)


def say(given: str) -> list[Any]:
    return [{"role": "user", "content": given}]


def reply(reply_id: str = "resp_1") -> bytes:
    message = {
        "type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": "Hello", "annotations": []}],
    }  # fmt: skip
    usage = {"input_tokens": 6, "output_tokens": 2, "total_tokens": 8}
    whole = {"id": reply_id, "object": "response", "status": "completed", "model": "m"}
    return json.dumps({**whole, "output": [message], "usage": usage}).encode()


def new_pipe(**route: Any) -> RoutedPipe:
    return RoutedPipe(kinds=KINDS, strategy="weighted", **route)


@for_each(("fields", "what"), [
    ({"given": say("Hi"), "previous_response_id": "resp_9"}, "previous_response_id"),
    ({"given": [*say("Hi"), *ENCRYPTED, *say("More")]}, "encrypted reasoning"),
    ({"given": FILE}, "a file id"),
])  # fmt: skip
def test_what_nobody_remembers_stays_with_the_first_target_of_the_format(
    fields: dict[str, Any], what: str
) -> None:
    for drawn in (0.01, 0.5, 0.99):
        pipe = new_pipe()
        pipe.rng = drawn
        ask(pipe, **fields)
        assert pipe.requests == (1, 0, 0)
        pipe.asked("one").whole(b"{}", status=503)
        assert (pipe.sink.status, pipe.requests) == (503, (1, 0, 0))
        decision = json.loads(pipe.records[-1].decision or "")
        assert decision["strategy"] == f"weighted, {what} of one"
        assert {"target": "two/m-two", "reason": f"cannot read {what} of one"} in decision[
            "skipped"
        ]


def test_a_response_is_continued_by_the_provider_that_gave_it() -> None:
    pipe = RoutedPipe(kinds=KINDS)
    ask(pipe, say("Hi"))
    pipe.asked("one").whole(b"{}", status=503)
    pipe.asked("two").whole(reply("resp_of_two"))
    ask(pipe, say("And?"), previous_response_id="resp_of_two")
    assert pipe.requests == (1, 2, 0)
    assert json.loads(pipe.asked("two").request.body)["previous_response_id"] == "resp_of_two"


def test_encrypted_reasoning_goes_back_to_the_provider_that_answered_the_conversation() -> None:
    pipe = RoutedPipe(kinds=KINDS)
    ask(pipe, say("Hi"), store=False)
    pipe.asked("one").whole(b"{}", status=503)
    pipe.asked("two").whole(reply())
    ask(pipe, [*say("Hi"), *ENCRYPTED, *say("And?")], store=False)
    assert pipe.requests == (1, 2, 0)
    ask(pipe, [*say("Another conversation"), *ENCRYPTED], store=False)
    assert pipe.requests == (2, 2, 0)


def test_another_key_does_not_find_it() -> None:
    pipe = RoutedPipe(kinds=KINDS, keys=("gateway-key-a", "gateway-key-b"))

    def ask_as(key: bytes, **fields: Any) -> None:
        body = json.dumps({"model": ROUTE, "input": say("Hi"), **fields}).encode()
        headers = ((b"authorization", b"Bearer " + key),)
        pipe.send(ClientRequest("", headers, body), RESPONSES)

    ask_as(b"gateway-key-a")
    pipe.asked("one").whole(b"{}", status=503)
    pipe.asked("two").whole(reply("resp_of_two"))
    ask_as(b"gateway-key-b", previous_response_id="resp_of_two")
    assert pipe.requests == (2, 1, 0)


def test_signed_reasoning_goes_to_its_provider_first_and_then_to_others() -> None:
    pipe = RoutedPipe(kinds={"one": "anthropic", "two": "anthropic", "three": "openai"})
    thinking = {"type": "thinking", "thinking": "Hm", "signature": "EqQB"}
    answer = json.dumps({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [thinking, {"type": "text", "text": "Hello"}], "stop_reason": "end_turn",
        "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1},
    }).encode()  # fmt: skip
    ask(pipe, None, MESSAGES, messages=say("Hi"), max_tokens=9)
    pipe.asked("one").whole(b"{}", status=503)
    pipe.asked("two").whole(answer)
    turns = [*say("Hi"), {"role": "assistant", "content": [thinking]}, *say("And?")]
    ask(pipe, None, MESSAGES, messages=turns, max_tokens=9)
    assert pipe.requests == (1, 2, 0)
    pipe.asked("two").whole(b"{}", status=503)
    assert pipe.requests == (2, 2, 0)
    pipe.asked("one").whole(b"{}", status=503)
    assert pipe.requests == (2, 2, 1)


def test_a_request_without_such_parts_goes_wherever_its_route_says() -> None:
    pipe = RoutedPipe(kinds=KINDS)
    ask(pipe, say("Hi"))
    pipe.asked("one").whole(b"{}", status=503)
    pipe.asked("two").whole(reply())
    ask(pipe, say("Hi"))
    assert pipe.requests == (2, 1, 0)


def test_what_only_one_provider_can_read_has_no_other_fallback_and_no_copy() -> None:
    too_long = b'{"error":{"message":"Too long","code":"context_length_exceeded"}}'
    pipe = RoutedPipe(
        kinds=KINDS,
        targets=(target("one"), target("two")),
        on_context_window=(target("three"),),
        shadow=Shadow(target=target("three"), share=1.0),
    )
    ask(pipe, FILE)
    pipe.asked("one").whole(too_long, status=400)
    assert (pipe.sink.status, pipe.requests) == (400, (1, 0, 0))
    pipe.sink.got.clear()
    ask(pipe, FILE)
    pipe.asked("one").whole(reply())
    assert pipe.requests == (2, 0, 0)


def test_a_file_in_openais_chat_format_stays_with_a_target_of_that_format() -> None:
    pipe = RoutedPipe(kinds={"one": "anthropic", "two": "openai", "three": "openai"})
    content = [{"type": "file", "file": {"file_id": "file-1"}}]
    pipe.ask_route(messages=[{"role": "user", "content": content}])
    assert pipe.requests == (0, 1, 0)
    pipe.asked("two").whole(WHOLE)


def test_the_longest_unused_conversations_are_forgotten(monkeypatch: Any) -> None:
    monkeypatch.setattr(conversation_owners, "MAX_CONVERSATIONS", 2)
    owners = ConversationOwners()
    owners.put("a", "one")
    owners.put("b", "two")
    assert owners.get("a") == "one"
    owners.put("c", "three")
    owners.put("c", "four")
    assert [owners.get(name) for name in "abc"] == ["one", None, "four"]
