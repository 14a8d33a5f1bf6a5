"""Tool calls of earlier turns as every kind of provider gets them: whatever a client, or another
provider, made of ids, results and arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from headway.providers import KINDS
from headway.types import Target
from support.adapter_requests import chat
from support.for_each import for_each
from support.wire_rule_examples import HI, result

MODELS = {
    "anthropic": "claude-sonnet-4-5",
    "vertex_anthropic": "claude-sonnet-4-5",
    "bedrock": "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "gemini": "gemini-2.5-flash",
    "vertex": "gemini-2.5-flash",
}
OPTIONS = {"region": "us-east-1", "project": "p"}
FORMS = {
    "anthropic": "[a-zA-Z0-9_-]+",
    "vertex_anthropic": "[a-zA-Z0-9_-]+",
    "bedrock": "[a-zA-Z0-9_-]{1,64}",
    "mistral": "[a-zA-Z0-9]{9}",
    **dict.fromkeys(("openai", "azure_openai", "bedrock_mantle", "openrouter"), ".{1,40}"),
    **dict.fromkeys(("openai_responses", "azure_openai_responses"), ".{1,64}"),
}
REPEATS = ("echo", "moonshot", "ollama")
"""Kinds that may get one id in several turns."""
AS_GIVEN = ("echo",)
WITH_PAIRS = (
    "anthropic", "vertex_anthropic", "bedrock", "gemini", "vertex", "cohere", "mistral", "minimax",
)  # fmt: skip
"""Kinds that require a result right after each call."""
EACH_KIND = for_each("kind", [kind for kind in KINDS if kind not in AS_GIVEN])


class Sent(NamedTuple):
    calls: list[tuple[str, str, Any]]
    """Id, name and arguments of each call. Ids are empty where the wire has none."""
    results: list[tuple[str, str]]
    """Id and text of each result."""


def sent_to(kind: str, messages: list[Any]) -> Sent:
    provider = KINDS[kind]
    base_url = provider.base_url or "https://upstream.example/v1"
    target = Target(provider=kind, base_url=base_url, api_key="key", options=OPTIONS)
    request, _ = provider.adapt(chat(MODELS.get(kind, "a-model"), messages))
    body = json.loads(provider.encode_request(request, target).body)
    found = Sent([], [])
    for part in parts_of(body):
        read_part(part, found)
    return found


def parts_of(body: Any) -> Iterator[Any]:
    """The calls and results in a body, in order, whatever the wire format."""
    for message in body.get("messages") or body.get("contents") or body["input"]:
        content = message.get("content")
        yield from message.get("tool_calls") or ()
        yield from message.get("parts") or ()
        yield from content if isinstance(content, list) else ()
        yield message


def read_part(part: Any, found: Sent) -> None:
    if part.get("type") == "tool_use":
        found.calls.append((part["id"], part["name"], part["input"]))
    elif part.get("type") == "tool_result":
        found.results.append((part["tool_use_id"], part["content"]))
    elif part.get("type") == "function_call":
        arguments = json.loads(part["arguments"])
        found.calls.append((part["call_id"], part["name"], arguments))
    elif part.get("type") == "function_call_output":
        found.results.append((part["call_id"], part["output"]))
    elif "toolUse" in part:
        use = part["toolUse"]
        found.calls.append((use["toolUseId"], use["name"], use["input"]))
    elif "toolResult" in part:
        said = part["toolResult"]
        found.results.append((said["toolUseId"], said["content"][0]["text"]))
    elif "functionCall" in part:
        call = part["functionCall"]
        found.calls.append((call.get("id", ""), call["name"], call["args"]))
    elif "functionResponse" in part:
        said = part["functionResponse"]
        found.results.append((said.get("id", ""), said["response"]["output"]))
    elif "function" in part:
        called = part["function"]
        given = called["arguments"]
        arguments = json.loads(given) if isinstance(given, str) else given
        found.calls.append((part["id"], called["name"], arguments))
    elif part.get("role") == "tool":
        found.results.append((part["tool_call_id"], part["content"]))


def calling(*calls: tuple[Any, str]) -> dict[str, Any]:
    """A message with a call for each (id, name)."""
    made = [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": "{}"}}
        for call_id, name in calls
    ]
    return {"role": "assistant", "content": None, "tool_calls": made}


# what it shows: messages, each result with the name of its call
CONVERSATIONS: dict[str, list[Any]] = {
    "ids of another vendor": [
        calling(("functions.f:0", "f"), ("functions.g:1", "g")),
        result("functions.f:0", "f"),
        result("functions.g:1", "g"),
    ],
    "alike": [
        calling(("f.1", "f"), ("f:1", "g"), ("f_1", "h")),
        result("f:1", "g"),
        result("f_1", "h"),
        result("f.1", "f"),
    ],
    "alike in several turns": [
        calling(("f_1", "f")),
        result("f_1", "f"),
        calling(("f.1", "g")),
        result("f.1", "g"),
        calling(("f:1", "h")),
        result("f:1", "h"),
    ],
    "long, with the same beginning": [
        calling(("a" * 70 + "1", "f"), ("a" * 70 + "2", "g")),
        result("a" * 70 + "2", "g"),
        result("a" * 70 + "1", "f"),
    ],
    "empty": [calling(("", "f"), ("", "g")), result("", "f"), result("", "g")],
    "none": [calling((None, "f"), (None, "g")), result(None, "f"), result(None, "g")],
    "none, and results with some": [
        calling((None, "f"), ("", "g")),
        result("x", "f"),
        result("y", "g"),
    ],
    "some, and results without": [
        calling(("x", "f"), ("y", "g")),
        result("", "f"),
        result(None, "g"),
    ],
    "empty in several turns": [
        calling(("", "f")),
        result("", "f"),
        calling(("", "g")),
        result("", "g"),
    ],
    "twice in one turn": [calling(("x", "f"), ("x", "g")), result("x", "f"), result("x", "g")],
    "a number": [calling((7, "f"), (8, "g")), result(8, "g"), result("7", "f")],
}
REPEATED = [
    calling(("x", "f"), ("y", "g")),
    result("y", "g"),
    result("x", "f"),
    calling(("x", "h")),
    result("x", "h"),
]


def check_results(kind: str, sent: Sent, is_unique: bool = True) -> None:
    """Whether each result refers to the call that it names, and ids are of the kind's form."""
    ids = [call_id for call_id, *_ in sent.calls]
    if kind in ("gemini", "vertex") and not all(ids):
        # Without ids, the order alone assigns a result to its call.
        assert [text for _, text in sent.results] == [name for _, name, _ in sent.calls]
        return
    by_id = {call_id: name for call_id, name, _ in sent.calls}
    assert [by_id[call_id] for call_id, _ in sent.results] == [text for _, text in sent.results]
    assert all(re.fullmatch(FORMS.get(kind, ".+"), call_id) for call_id in ids)
    assert len(set(ids)) == len(ids) or not is_unique


@EACH_KIND
@for_each("name", CONVERSATIONS)
def test_results_refer_to_their_calls(name: str, kind: str) -> None:
    sent = sent_to(kind, [HI, *CONVERSATIONS[name], HI])
    assert len(sent.calls) == len(sent.results)
    check_results(kind, sent)


@EACH_KIND
def test_ids_that_repeat_over_turns(kind: str) -> None:
    sent = sent_to(kind, [HI, *REPEATED, HI])
    if kind in REPEATS:
        assert [call_id for call_id, *_ in sent.calls] == ["x", "y", "x"]
        assert [text for _, text in sent.results] == ["g", "f", "h"]
    else:
        check_results(kind, sent)


@EACH_KIND
@for_each("name", [*CONVERSATIONS, "repeated"])
def test_the_beginning_of_a_conversation_is_always_the_same(name: str, kind: str) -> None:
    """Caches of prompts depend on it."""
    turns = [HI, *CONVERSATIONS.get(name, REPEATED), HI]
    longer = [*turns, *turns, *REPEATED, HI]
    first, second = sent_to(kind, turns), sent_to(kind, longer)
    assert second.calls[: len(first.calls)] == first.calls
    assert second.results[: len(first.results)] == first.results


ODD_PAIRS: dict[str, list[Any]] = {
    "a call without a result": [HI, calling(("x", "f")), HI],
    "one of two without a result": [HI, calling(("x", "f"), ("y", "g")), result("y", "g"), HI],
    "a call at the end": [HI, calling(("x", "f"))],
    "a result without a call": [HI, result("x", "f"), HI],
    "a result before its call": [HI, result("x", "f"), calling(("x", "f")), HI],
    "two results for a call": [HI, calling(("x", "f")), result("x", "f"), result("x", "f"), HI],
    "a message between": [HI, calling(("x", "f")), HI, result("x", "f"), HI],
    "another call between": [
        HI,
        calling(("x", "f")),
        calling(("y", "g")),
        result("x", "f"),
        result("y", "g"),
        HI,
    ],
}


@for_each("kind", WITH_PAIRS)
@for_each("name", ODD_PAIRS)
def test_each_call_has_one_result(name: str, kind: str) -> None:
    sent = sent_to(kind, ODD_PAIRS[name])
    assert len(sent.calls) == len(sent.results)
    given = [each for each in sent.results if each[1] != "(no result)"]
    by_id = {call_id: name for call_id, name, _ in sent.calls}
    assert all(by_id[call_id] == text for call_id, text in given if call_id)
    assert by_id.keys() == {call_id for call_id, _ in sent.results}


ARGUMENTS: list[tuple[Any, Any]] = [
    ('{"a": 1}', {"a": 1}),
    ("", {}),
    (" ", {}),
    (None, {}),
    (..., {}),
    ("null", {}),
    ("[]", {}),
    ('{"a": 1, "b', {"arguments": '{"a": 1, "b'}),
    ("[1]", {"arguments": [1]}),
    ("5", {"arguments": 5}),
    ("ls -l", {"arguments": "ls -l"}),
    ('"{\\"a\\": 1}"', {"a": 1}),
    ({"a": 1}, {"a": 1}),
    ([1], {"arguments": [1]}),
]
TAKES_ANY_TEXT = (
    "openai", "azure_openai", "openai_responses", "azure_openai_responses", "bedrock_mantle",
)  # fmt: skip


@EACH_KIND
@for_each(("given", "expected"), ARGUMENTS)
def test_arguments_of_earlier_calls(kind: str, given: Any, expected: Any) -> None:
    call = calling(("call00001", "f"))
    function = call["tool_calls"][0]["function"]
    if given is ...:
        del function["arguments"]
    else:
        function["arguments"] = given
    messages = [HI, call, result("call00001"), HI]
    if kind in TAKES_ANY_TEXT and isinstance(given, str):
        provider = KINDS[kind]
        request, transformations = provider.adapt(chat("a-model", messages))
        assert transformations == ()
        assert json.loads(bytes(request.messages)) == messages
    else:
        (sent,) = sent_to(kind, messages).calls
        is_list_sent = kind in TAKES_ANY_TEXT and given == [1]
        assert sent[1:] == ("f", given if is_list_sent else expected)


# --- Deprecated calls, calls in a provider's own format, and what is no call ----------------------


def adapted(kind: str, messages: list[Any]) -> tuple[list[Any], list[str]]:
    """The messages, and what is said of them; Bedrock may get one more."""
    request, transformations = KINDS[kind].adapt(chat(MODELS.get(kind, "a-model"), messages))
    noted = [str(each) for each in transformations if each.parameter.startswith("messages")]
    sent = json.loads(bytes(request.messages))
    return sent[:-1] if kind == "bedrock" and sent[-1]["role"] == "system" else sent, noted


FUNCTION_CALL = {
    "role": "assistant",
    "content": None,
    "function_call": {"name": "f", "arguments": "[1]"},
}
FUNCTION_RESULT = {"role": "function", "name": "f", "content": "1"}


def test_deprecated_calls_have_one_result_each() -> None:
    given = [HI, FUNCTION_CALL, HI, FUNCTION_CALL, FUNCTION_RESULT, FUNCTION_RESULT]
    messages, noted = adapted("anthropic", given)
    roles = [message["role"] for message in messages]
    assert roles == ["user", "assistant", "function", "user", "assistant", "function", "user"]
    assert [messages[at]["content"] for at in (2, 5)] == ["(no result)", "1"]
    assert messages[6]["content"] == "Result of a tool call:\n1"
    assert messages[1]["function_call"]["arguments"] == '{"arguments":[1]}'
    assert len(noted) == 3


def test_a_deprecated_call_with_its_result_stays_the_same() -> None:
    call = {**FUNCTION_CALL, "function_call": {"name": "f", "arguments": "{}"}}
    given = [HI, call, FUNCTION_RESULT, HI]
    assert adapted("anthropic", given) == (given, [])


def test_a_result_of_no_call_keeps_its_parts() -> None:
    part = {"type": "text", "text": "a"}
    messages, _ = adapted("anthropic", [HI, {**result("x"), "content": [part]}, HI])
    assert messages[1] == {
        "role": "user",
        "content": [{"type": "text", "text": "Result of a tool call:"}, part],
    }


def native(kind: str, call_id: str) -> tuple[Any, Any]:
    """A call and its result in the provider's own format."""
    if kind == "bedrock":
        return (
            {"toolUse": {"toolUseId": call_id, "name": "f", "input": {}}},
            {"toolResult": {"toolUseId": call_id, "content": [{"text": "1"}]}},
        )
    return (
        {"type": "tool_use", "id": call_id, "name": "f", "input": {}},
        {"type": "tool_result", "tool_use_id": call_id, "content": "1"},
    )


@pytest.mark.parametrize("kind", ["anthropic", "bedrock"])
def test_calls_in_the_providers_own_format_are_left_alone(kind: str) -> None:
    use, answer = native(kind, "x")
    of_user = {"role": "user", "content": [answer]}
    own = [HI, {"role": "assistant", "content": [use]}]
    for given in (
        [*own, of_user],
        [*own, result("x"), HI],
        [HI, calling(("x", "f")), of_user],
        [*own, of_user, calling(("y", "f")), result("y")],
    ):
        assert adapted(kind, given) == (given, [])


@pytest.mark.parametrize("kind", ["anthropic", "bedrock"])
def test_an_id_is_another_than_those_in_the_providers_own_format(kind: str) -> None:
    use, answer = native(kind, "f_1")
    own = [{"role": "assistant", "content": [use]}, {"role": "user", "content": [answer]}]
    messages, _ = adapted(kind, [HI, *own, calling(("f.1", "f")), result("f.1"), HI])
    assert messages[3]["tool_calls"][0]["id"] not in ("f_1", "f.1")
    assert messages[3]["tool_calls"][0]["id"] == messages[4]["tool_call_id"]


def test_a_signature_follows_the_id_of_its_call() -> None:
    detail = {"type": "reasoning.encrypted", "format": "google-gemini-v1", "data": "x"}
    details = [{**detail, "id": "x"}, {**detail, "id": "other"}, detail]
    signed = {**calling(("x", "f")), "reasoning_details": details}
    messages, _ = adapted("gemini", [HI, signed, result("x"), HI, signed, result("x"), HI])
    (first, second) = (message for message in messages if "tool_calls" in message)
    assert [each.get("id") for each in first["reasoning_details"]] == ["x", "other", None]
    made = second["tool_calls"][0]["id"]
    assert [each.get("id") for each in second["reasoning_details"]] == [made, "other", None]


def test_a_namespace_follows_the_id_of_its_call() -> None:
    call_id = "a" * 70
    given = {**calling((call_id, "f")), "tool_namespaces": {call_id: "n", "other": "m"}}
    messages, _ = adapted("openai_responses", [HI, given, result(call_id), HI])
    made = messages[1]["tool_calls"][0]["id"]
    assert messages[1]["tool_namespaces"] == {made: "n", "other": "m"}


def test_calls_of_custom_tools_have_no_arguments() -> None:
    call = {"id": "x", "type": "custom", "custom": {"name": "py", "input": "1+1"}}
    given = [HI, {"role": "assistant", "content": None, "tool_calls": [call]}, result("x"), HI]
    assert adapted("vllm", given) == (given, [])
    broken = {**call, "id": "y", "type": "function", "function": {"name": "f", "arguments": "1"}}
    fit = calling(("z", "f"))["tool_calls"][0]
    called = [call, {name: broken[name] for name in ("id", "type", "function")}, fit]
    messages, _ = adapted("vllm", [HI, {"role": "assistant", "tool_calls": called}, HI])
    first, second, third = messages[1]["tool_calls"]
    assert (first, third) == (call, fit)
    assert second["function"]["arguments"] == '{"arguments":1}'


@pytest.mark.parametrize("calls", [[1], ["x", {"id": "x"}], 5, {}])
def test_what_is_no_list_of_calls_is_left_to_the_provider(calls: Any) -> None:
    given = [HI, {"role": "assistant", "content": None, "tool_calls": calls}, HI]
    assert adapted("openai", given)[0][1]["tool_calls"] == calls
    assert adapted("minimax", given)[0][1]["tool_calls"] == calls


def test_a_conversation_in_order_keeps_its_bytes() -> None:
    messages = [HI, calling(("call00001", "f")), result("call00001")]
    for kind in ("openai", "anthropic", "gemini", "mistral", "cohere", "ollama", "vllm"):
        request = chat(MODELS.get(kind, "a-model"), messages)
        assert KINDS[kind].adapt(request)[0].messages == request.messages
