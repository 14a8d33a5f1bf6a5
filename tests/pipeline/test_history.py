"""A request that refers to earlier calls is completed with what the ledger keeps of them."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.gemini.generate import GenerateContent
from headway.dialects.openai.chat import OpenAIChat
from headway.dialects.openai_responses.dialect import OpenAIResponses
from headway.pipeline.content_rules import ContentRules
from headway.pipeline.history import chat_messages, session_messages
from headway.ports import KeptReply
from headway.providers import KINDS
from support.for_each import for_each
from support.kept_history import SpoolHistory, remember
from support.pipeline_fakes import DONE, HELLO, ROLE, STOP, USAGE, WHOLE, ListSink, Pipe, text

RESPONSES, ANTHROPIC = OpenAIResponses(), AnthropicMessages()
KEYS = ("hw-first-key", "hw-second-key")


def new_pipe(mode: Any = "full", **options: Any) -> tuple[Pipe, SpoolHistory]:
    pipe = Pipe(content=ContentRules(mode), **options)
    return pipe, remember(pipe)


def say(pipe: Pipe, answer: str = "Hello!", *headers: tuple[bytes, bytes], **fields: Any) -> Any:
    """One call of the engine route; returns the messages that the provider got."""
    pipe.sink = ListSink()
    count = len(pipe.upstream_requests)
    pipe.ask(*headers, **{"session_id": "s-1", "session": {"remember": True}, **fields})
    if len(pipe.upstream_requests) == count:
        return None
    pipe.upstream.stream(ROLE, text(answer), STOP, USAGE, DONE)
    return json.loads(pipe.upstream.request.body)["messages"]


def user(content: str) -> Any:
    return {"role": "user", "content": content}


def assistant(content: str) -> Any:
    return {"content": content, "role": "assistant"}


# --- Sessions -------------------------------------------------------------------------------------


def test_a_remembered_session_goes_on_where_it_was() -> None:
    pipe, _ = new_pipe()
    assert say(pipe, "A1", chat_input="Q1") == [user("Q1")]
    assert say(pipe, "A2", chat_input="Q2") == [user("Q1"), assistant("A1"), user("Q2")]
    third = say(pipe, "A3", chat_input="Q3")
    assert third == [user("Q1"), assistant("A1"), user("Q2"), assistant("A2"), user("Q3")]
    reply = pipe.sink.json
    assert reply["context"] == third
    assert reply["chat_input"] == "Q3"


def test_calls_that_did_not_ask_to_be_remembered_are_remembered_too() -> None:
    pipe, _ = new_pipe()
    say(pipe, "A1", chat_input="Q1", session=None)
    say(pipe, "A2", chat_input="Q2", session={"remember": False})
    assert say(pipe, chat_input="Q3") == [
        user("Q1"), assistant("A1"), user("Q2"), assistant("A2"), user("Q3"),
    ]  # fmt: skip


def test_a_client_that_sends_its_history_itself_has_it_once() -> None:
    pipe, _ = new_pipe()
    say(pipe, "A1", chat_input=[user("Q1")], session=None)
    say(pipe, "A2", chat_input=[user("Q1"), assistant("A1"), user("Q2")], session=None)
    assert say(pipe, chat_input="Q3") == [
        user("Q1"), assistant("A1"), user("Q2"), assistant("A2"), user("Q3"),
    ]  # fmt: skip


def test_another_session_and_another_key_have_their_own_history() -> None:
    pipe, _ = new_pipe(keys=KEYS)
    first, second = ((b"x-api-key", key.encode()) for key in KEYS)
    say(pipe, "A1", first, chat_input="Q1")
    assert say(pipe, "A", first, chat_input="Q2", session_id="s-2") == [user("Q2")]
    assert say(pipe, "A", second, chat_input="Q3") == [user("Q3")]
    assert say(pipe, "A", first, chat_input="Q4") == [user("Q1"), assistant("A1"), user("Q4")]


def test_only_the_last_turns_are_sent_where_a_limit_says_so() -> None:
    pipe, _ = new_pipe()
    for n in range(3):
        say(pipe, f"A{n}", chat_input=f"Q{n}")
    sent = say(pipe, chat_input="Q3", session={"remember": True, "max_turns": 1})
    assert sent == [user("Q2"), assistant("A2"), user("Q3")]


def test_the_first_system_message_stays_until_there_is_another() -> None:
    pipe, _ = new_pipe()
    kind, curt = ({"role": "system", "content": text} for text in ("Be kind", "Be curt"))
    say(pipe, "A1", chat_input=[kind, user("Q1")])
    assert say(pipe, "A2", chat_input="Q2")[0] == kind
    sent = say(pipe, "A3", chat_input=[curt, user("Q3")])
    assert [message for message in sent if message["role"] == "system"] == [curt]
    limit = {"remember": True, "max_turns": 1}
    assert say(pipe, "A4", chat_input="Q4", session=limit)[0] == curt


def test_a_failed_call_is_no_part_of_the_history() -> None:
    pipe, _ = new_pipe()
    pipe.ask(session_id="s-1", chat_input="lost")
    pipe.upstream.whole(b'{"error":{"message":"no"}}', 400)
    assert say(pipe, chat_input="Q1") == [user("Q1")]


def test_a_session_that_is_not_named_is_refused() -> None:
    pipe, _ = new_pipe()
    assert say(pipe, session_id=None) is None
    assert pipe.sink.status == 422
    assert pipe.sink.json["error"]["param"] == "session_id"


@for_each("mode", ["off", "hash"])
def test_a_history_that_is_not_kept_is_refused_with_the_setting_that_keeps_it(mode: str) -> None:
    pipe, _ = new_pipe(mode)
    assert say(pipe) is None
    assert pipe.sink.status == 400
    assert "ledger.content: full" in pipe.sink.json["error"]["message"]
    assert pipe.records[-1].outcome == "refused"


def test_a_history_longer_than_a_body_may_be_is_refused() -> None:
    pipe, _ = new_pipe()
    say(pipe, "A" * 600, chat_input="Q" * 300)
    assert say(pipe, chat_input="Q2" * 100) is None
    assert pipe.sink.status == 413
    assert "server.body_limit" in pipe.sink.json["error"]["message"]


def kept(wire: str, messages: Any, output: Any, **parameters: Any) -> KeptReply:
    raws = tuple(Raw(json.dumps(each).encode()) for each in messages)
    outs = tuple(Raw(json.dumps(each).encode()) for each in output)
    given = {name: Raw(json.dumps(value).encode()) for name, value in parameters.items()}
    return KeptReply("c", wire, raws, outs, given, Raw(b"null"))


def plain(messages: Any) -> Any:
    return [json.loads(bytes(message)) for message in messages]


@for_each(
    "call, messages",
    [
        (
            kept("anthropic_messages", [user("Q")], [], system="Be kind", max_tokens=9),
            [{"role": "system", "content": "Be kind"}, user("Q")],
        ),
        (
            kept("gemini", [{"role": "user", "parts": [{"text": "Q"}]}], []),
            [user("Q")],
        ),
        (kept("openai_responses", [user("Q")], []), [user("Q")]),
        (kept("ollama_chat", [user("Q")], []), [user("Q")]),
        (kept("openai_embeddings", ["Q"], []), []),
        (kept("anthropic_messages", [{"role": "user", "content": 7}], []), []),
    ],
)
def test_the_messages_of_other_formats_become_those_of_chat(call: KeptReply, messages: Any) -> None:
    assert plain(chat_messages(call)) == messages


def test_a_session_over_several_routes_is_one_conversation() -> None:
    calls = [
        kept("anthropic_messages", [user("Q1")], [assistant("A1")], max_tokens=9),
        kept("openai_chat", [user("Q2")], [assistant("A2"), assistant("another choice")]),
    ]
    assert plain(session_messages(calls, [], 9)) == [
        user("Q1"), assistant("A1"), user("Q2"), assistant("A2"),
    ]  # fmt: skip


# --- Responses ------------------------------------------------------------------------------------


def respond(
    pipe: Pipe, answer: bytes = HELLO, *headers: tuple[bytes, bytes], **fields: Any
) -> dict[str, Any]:
    """A call of the Responses API over a provider of chat; returns the client's response."""
    pipe.sink = ListSink()
    body = {"model": "openai/gpt-4o", "input": "Hi", **fields}
    count = len(pipe.upstream_requests)
    pipe.send(ClientRequest("", headers, json.dumps(body).encode()), RESPONSES)
    if len(pipe.upstream_requests) > count:
        if fields.get("stream"):
            pipe.upstream.stream(answer)
        else:
            pipe.upstream.whole(WHOLE if answer is HELLO else answer)
    if fields.get("stream"):
        last = pipe.sink.body.rstrip().rpartition(b"data: ")[2]
        return json.loads(last)["response"]  # type: ignore[no-any-return]
    return pipe.sink.json  # type: ignore[no-any-return]


def sent_messages(pipe: Pipe) -> Any:
    return json.loads(pipe.upstream.request.body)["messages"]


def chat_pipe(**options: Any) -> tuple[Pipe, SpoolHistory]:
    """Of a provider that has no Responses API."""
    return new_pipe(provider=KINDS["deepseek"], **options)


@for_each("stream", [False, True])
def test_a_response_continues_an_earlier_one_over_any_provider(stream: bool) -> None:
    pipe, _ = chat_pipe()
    first = respond(pipe, stream=stream, instructions="Be kind")
    assert first["store"] is True
    second = respond(pipe, stream=stream, input="And?", previous_response_id=first["id"])
    assert sent_messages(pipe) == [
        user("Hi"), {"role": "assistant", "content": "Hello!"}, user("And?"),
    ]  # fmt: skip
    assert second["previous_response_id"] == first["id"]
    respond(pipe, input="Now?", previous_response_id=second["id"])
    assert len(sent_messages(pipe)) == 5


def test_a_result_is_sent_for_a_call_of_an_earlier_response() -> None:
    call = {"index": 0, "id": "call_1", "type": "function",
            "function": {"name": "look", "arguments": "{}"}}  # fmt: skip
    answer = json.loads(WHOLE)
    answer["choices"][0]["message"] = {"role": "assistant", "content": None, "tool_calls": [call]}
    tools = [{"type": "function", "name": "look", "parameters": {}}]
    pipe, _ = chat_pipe()
    first = respond(pipe, json.dumps(answer).encode(), tools=tools)
    result = {"type": "function_call_output", "call_id": "call_1", "output": "42"}
    respond(pipe, input=[result], tools=tools, previous_response_id=first["id"])
    asked, called, told = sent_messages(pipe)
    assert asked == user("Hi")
    assert called["tool_calls"][0]["function"]["name"] == "look"
    assert told == {"role": "tool", "tool_call_id": "call_1", "content": "42"}


def test_items_of_earlier_responses_stand_where_they_are_referred_to() -> None:
    pipe, history = chat_pipe()
    first = respond(pipe)
    [item] = first["output"]
    references = [user("Hi"), {"type": "item_reference", "id": item["id"]}, user("And?")]
    respond(pipe, input=references)
    assert sent_messages(pipe)[1] == {"role": "assistant", "content": "Hello!"}
    respond(pipe, input=[{"id": item["id"]}, user("And?")])
    assert sent_messages(pipe)[0] == {"role": "assistant", "content": "Hello!"}
    history.asked.clear()
    respond(pipe, input=[*references, *references])
    assert len(history.asked) == 1


def test_an_item_of_the_input_can_be_referred_to() -> None:
    pipe, _ = chat_pipe()
    first = respond(pipe, input=[{**user("Hi"), "id": "msg_own"}, user("Ho")])
    name = f"msg_{first['id'].removeprefix('resp_')}i1"
    respond(pipe, input=[{"type": "item_reference", "id": name}])
    assert sent_messages(pipe) == [user("Ho")]


def test_an_item_that_is_kept_nowhere_is_refused() -> None:
    pipe, _ = chat_pipe()
    said = respond(pipe, input=[{"type": "item_reference", "id": "msg_unknown"}])
    assert pipe.sink.status == 400
    assert said["error"]["param"] == "input[0]"


@for_each(
    "previous", ["resp_unknown", "resp_00000000000000000000000000000099", "msg_1"]
)  # of another gateway, of this one, and none
def test_a_response_that_is_not_kept_is_refused_as_openai_does(previous: str) -> None:
    pipe, _ = chat_pipe()
    said = respond(pipe, previous_response_id=previous)["error"]
    assert pipe.sink.status == 400
    assert said["message"] == f"Previous response with id '{previous}' not found."
    assert (said["code"], said["param"]) == ("previous_response_not_found", "previous_response_id")


def test_a_response_that_its_client_did_not_want_stored_is_not_found() -> None:
    pipe, _ = chat_pipe()
    first = respond(pipe, store=False)
    assert first["store"] is False
    assert "not found" in respond(pipe, previous_response_id=first["id"])["error"]["message"]


def test_a_response_of_another_key_is_not_found() -> None:
    pipe, _ = chat_pipe(keys=KEYS)
    owner, other = ((b"x-api-key", key.encode()) for key in KEYS)
    first = respond(pipe, HELLO, owner)
    said = respond(pipe, HELLO, other, previous_response_id=first["id"])
    assert said["error"]["code"] == "previous_response_not_found"
    assert respond(pipe, HELLO, owner, previous_response_id=first["id"])["id"]


@for_each("fields", [{"previous_response_id": "resp_1"},
                     {"input": [{"type": "item_reference", "id": "msg_1"}]}])  # fmt: skip
def test_where_nothing_is_kept_the_error_names_the_setting(fields: Any) -> None:
    pipe, _ = chat_pipe(mode="off")
    assert "ledger.content: full" in respond(pipe, **fields)["error"]["message"]
    assert pipe.sink.status == 400


def test_nothing_is_stored_where_nothing_is_kept() -> None:
    pipe, _ = chat_pipe(mode="hash")
    assert respond(pipe)["store"] is False
    assert bytes(pipe.contents[0].response) == b"null"


def test_what_a_response_repeats_of_its_request_is_kept_once() -> None:
    pipe, _ = chat_pipe()
    tools = [{"type": "function", "name": "look", "parameters": {}}]
    shown = respond(pipe, instructions="Be kind", tools=tools)
    stored = json.loads(bytes(pipe.contents[0].response))
    assert stored == {k: v for k, v in shown.items() if k not in ("instructions", "tools")}
    assert pipe.contents[0].aliases == ()


# --- Providers with the API of their own ----------------------------------------------------------


def native_pipe(**options: Any) -> tuple[Pipe, SpoolHistory]:
    return new_pipe(provider=KINDS["openai_responses"], **options)


def native_answer(name: str, store: bool = True) -> bytes:
    content = [{"type": "output_text", "text": "Hello!", "annotations": []}]
    said = {"type": "message", "id": f"msg_{name}", "role": "assistant", "content": content}
    return json.dumps(
        {"id": f"resp_{name}", "object": "response", "created_at": 1, "model": "gpt-5",
         "status": "completed", "store": store, "output": [said],
         "usage": {"input_tokens": 5, "output_tokens": 6, "total_tokens": 11}}
    ).encode()  # fmt: skip


def sent_body(pipe: Pipe) -> Any:
    return json.loads(pipe.upstream.request.body)


def test_a_provider_that_keeps_its_responses_gets_the_reference() -> None:
    pipe, _ = native_pipe()
    respond(pipe, native_answer("a"))
    assert pipe.contents[0].aliases == ("resp_a", "msg_a")
    respond(pipe, native_answer("b"), input="And?", previous_response_id="resp_a")
    assert sent_body(pipe)["previous_response_id"] == "resp_a"
    assert sent_body(pipe)["input"] == [user("And?")]
    whole = json.loads(bytes(pipe.contents[1].messages))
    assert [each["role"] for each in whole] == ["user", "assistant", "user"]


def test_the_conversation_of_such_a_provider_continues_at_another() -> None:
    pipe, _ = native_pipe()
    respond(pipe, native_answer("a"))
    respond(pipe, native_answer("b"), input="And?", previous_response_id="resp_a")
    pipe.gateway.snapshot = replace(
        pipe.gateway.snapshot,
        upstreams={"openai": replace(pipe.call.upstream, provider=KINDS["deepseek"])},
    )
    respond(pipe, input="Now?", previous_response_id="resp_b")
    assert [each["role"] for each in sent_messages(pipe)] == [
        "user", "assistant", "user", "assistant", "user",
    ]  # fmt: skip


def test_a_provider_that_keeps_nothing_gets_the_whole_conversation() -> None:
    pipe, _ = native_pipe()
    respond(pipe, native_answer("a", store=False))
    respond(pipe, native_answer("b"), input="And?", previous_response_id="resp_a")
    assert "previous_response_id" not in sent_body(pipe)
    assert [each["role"] for each in sent_body(pipe)["input"]] == ["user", "assistant", "user"]
    respond(pipe, native_answer("c"), input=[{"type": "item_reference", "id": "msg_a"}])
    assert sent_body(pipe)["input"][0]["content"][0]["text"] == "Hello!"


def test_an_item_that_the_provider_keeps_stays_a_reference() -> None:
    pipe, _ = native_pipe()
    respond(pipe, native_answer("a"))
    reference = {"type": "item_reference", "id": "msg_a"}
    respond(pipe, native_answer("b"), input=[reference, user("And?")])
    assert sent_body(pipe)["input"] == [reference, user("And?")]


@for_each("mode", ["off", "full"])
def test_an_id_that_only_the_provider_knows_is_sent_on(mode: str) -> None:
    pipe, _ = native_pipe(mode=mode)
    respond(pipe, native_answer("a"), previous_response_id="resp_theirs")
    assert sent_body(pipe)["previous_response_id"] == "resp_theirs"


@for_each("name, status", [("resp_theirs", 200), ("resp_" + "0" * 31 + "1", 503)])
def test_while_the_ledger_is_down_a_provider_is_asked_for_what_may_be_its_own(
    name: str, status: int
) -> None:
    pipe, history = native_pipe()
    history.is_down = True
    respond(pipe, native_answer("a"), previous_response_id=name)
    assert pipe.sink.status == status
    chat, history = chat_pipe()
    history.is_down = True
    assert respond(chat, previous_response_id=name)["error"]["type"] == "ledger_unavailable"
    assert chat.sink.status == 503


def test_an_id_of_the_gateway_that_is_not_kept_is_not_sent_on() -> None:
    pipe, _ = native_pipe()
    name = "resp_00000000000000000000000000000099"
    assert respond(pipe, previous_response_id=name)["error"]["code"] == (
        "previous_response_not_found"
    )
    assert pipe.upstream_requests == []


def test_reasoning_that_another_provider_did_not_encrypt_is_left_out() -> None:
    pipe, _ = chat_pipe()
    answer = json.loads(WHOLE)
    answer["choices"][0]["message"]["reasoning_content"] = "Hm"
    first = respond(pipe, json.dumps(answer).encode())
    reasoning, message = first["output"]
    pipe.gateway.snapshot = replace(
        pipe.gateway.snapshot,
        upstreams={"openai": replace(pipe.call.upstream, provider=KINDS["openai_responses"])},
    )
    references = [{"type": "item_reference", "id": each["id"]} for each in (reasoning, message)]
    respond(pipe, native_answer("b"), input=references)
    assert [each["type"] for each in sent_body(pipe)["input"]] == ["message"]
    respond(pipe, native_answer("c"), input="And?", previous_response_id=first["id"])
    assert [each.get("type") for each in sent_body(pipe)["input"]] == [None, "message", None]


def test_a_body_of_the_api_on_the_route_of_chat_refers_to_responses_too() -> None:
    pipe, _ = chat_pipe()
    first = respond(pipe)
    body = {"model": "openai/gpt-4o", "input": "And?", "previous_response_id": first["id"]}
    dialect: Dialect = OpenAIChat()
    pipe.sink = ListSink()
    pipe.send(ClientRequest("", (), json.dumps(body).encode()), dialect)
    assert len(sent_messages(pipe)) == 3


def test_a_completion_is_stored_where_its_client_asks_for_that() -> None:
    for stream in (False, True):
        pipe, _ = new_pipe()
        pipe.ask_openai(store=True, stream=stream)
        if stream:
            pipe.upstream.stream(HELLO)
        else:
            pipe.upstream.whole(WHOLE)
        stored = json.loads(bytes(pipe.contents[0].response))
        assert stored["choices"][0]["message"]["content"] == "Hello!"
        assert stored["id"] == "c-1"
        assert pipe.contents[0].aliases == ("c-1",)
    pipe, _ = new_pipe()
    pipe.ask_openai()
    pipe.upstream.whole(WHOLE)
    assert bytes(pipe.contents[0].response) == b"null"


def test_google_has_no_field_for_earlier_calls() -> None:
    pipe, history = new_pipe()
    body = json.dumps({"contents": [{"parts": [{"text": "Hi"}]}]}).encode()
    pipe.send(ClientRequest("openai/gpt-4o", (), body), GenerateContent())
    pipe.upstream.whole(WHOLE)
    assert history.asked == []
