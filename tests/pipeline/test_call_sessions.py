"""The session of a request, in its record."""

from __future__ import annotations

import json
from typing import Any

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.openai_responses.dialect import OpenAIResponses
from headway.errors import UpstreamUnreachable
from support.pipeline_fakes import ENGINE, OPENAI, WHOLE, Pipe
from support.played_dialects import REQUESTS

ASKED = [{"role": "user", "content": "Hi"}]
AGENT = (b"x-claude-code-session-id", b"agent-1")


def session_of(dialect: Dialect, body: dict[str, Any], *headers: tuple[bytes, bytes]) -> Any:
    pipe = Pipe()
    pipe.send(ClientRequest("openai", headers, json.dumps(body).encode()), dialect)
    pipe.upstream.whole(WHOLE)
    assert pipe.sink.status == 200
    return pipe.records[-1].session_id


def test_a_header_names_the_session_in_every_dialect() -> None:
    for name, (dialect, asked) in REQUESTS.items():
        pipe = Pipe()
        pipe.send(ClientRequest(asked.argument, (AGENT,), asked.body, asked.query), dialect)
        pipe.upstream.fail(UpstreamUnreachable("no route"))
        assert pipe.records[-1].session_id == "agent-1", name


def test_the_field_for_it_comes_before_a_header_and_a_header_before_a_hint() -> None:
    engine = {"model": "gpt-4o", "chat_input": "Hi"}
    assert session_of(ENGINE, {**engine, "session_id": "field"}, AGENT) == "field"
    assert session_of(ENGINE, engine, AGENT) == "agent-1"
    chat = {"model": "openai/gpt-4o", "messages": ASKED, "prompt_cache_key": "cache-1"}
    assert session_of(OPENAI, chat, AGENT) == "agent-1"
    assert session_of(OPENAI, chat) == "cache-1"
    assert session_of(OPENAI, {**chat, "prompt_cache_key": "a\n" + "b" * 999}) == "a?" + "b" * 254


def test_fields_that_agents_set_to_their_session_name_it() -> None:
    model = {"model": "openai/gpt-4o"}
    items = {**model, "input": "Hi", "prompt_cache_key": "thread-1"}
    assert session_of(OpenAIResponses(), items) == "thread-1"
    assert session_of(OPENAI, items) == "thread-1"
    user_id = json.dumps({"device_id": "d", "account_uuid": "", "session_id": "s-1"})
    messages = {**model, "max_tokens": 9, "messages": ASKED, "metadata": {"user_id": user_id}}
    assert session_of(AnthropicMessages(), messages) == "s-1"


def test_a_value_of_another_type_names_no_session_and_goes_to_the_provider() -> None:
    chat = {"model": "openai/gpt-4o", "messages": ASKED, "prompt_cache_key": 7}
    assert session_of(OPENAI, chat) is None
