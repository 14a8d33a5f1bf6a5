"""What OpenAI's dialects have in common, and chat's route with the Responses API's items."""

from __future__ import annotations

import json

from headway.dialects.base import OpenAIFormat
from headway.dialects.openai.chat import OpenAIChat
from headway.dialects.openai.embeddings import OpenAIEmbeddings
from headway.errors import InvalidField
from headway.types import ChatRequest
from support.dialect_samples import inbound

ITEMS = {"model": "openai/gpt-5", "input": "Hi", "stream": True, "strict": True}


def test_errors_have_openais_shape() -> None:
    error = InvalidField("No", param="x")
    found = json.loads(OpenAIFormat().encode_error(error, "openai", "id-1"))["error"]
    assert (found["message"], found["param"], found["request_id"]) == ("No", "x", "id-1")
    assert OpenAIFormat().status_of(error) == 422


def test_a_chat_request_is_not_converted() -> None:
    body = {"model": "openai/m", "messages": [{"role": "user", "content": "Hi"}]}
    request = OpenAIChat().decode(inbound(body)).request
    assert isinstance(request, ChatRequest)
    for dialect in (OpenAIChat(), OpenAIEmbeddings()):
        assert dialect.convert_request(request) == (request, ())


def test_items_on_chats_route_are_converted() -> None:
    decoded = OpenAIChat().decode(inbound(ITEMS))
    request = decoded.request
    assert isinstance(request, ChatRequest)
    assert (decoded.provider, decoded.stream, decoded.strict) == ("openai", True, True)
    converted, told = OpenAIChat().convert_request(request)
    assert [message["role"] for message in json.loads(bytes(converted.messages))] == ["user"]
    assert told == ()
