"""The route of OpenAI's Responses API."""

from typing import Any

from headway.server.openapi.examples.base import ANSWER, HELLO, Example
from headway.server.openapi.examples.engine import SAMPLE_REPLY

_REQUEST = {"model": "local/smollm2-135m-instruct", "input": HELLO}
_RESPONSE = "resp_0b0a4fd193b54c3e"
_ITEM = "msg_0b0a4fd193b54c3e0000"
_WEATHER = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
RESPONSES_REQUESTS = (
    Example("A question", _REQUEST),
    Example("As a stream", {**_REQUEST, "stream": True}),
    Example(
        "With a tool, as coding agents ask",
        {
            "model": "anthropic/claude-sonnet-4-5",
            "instructions": "You are a weather service.",
            "input": [{"role": "user", "content": "Is it raining in Bonn?"}],
            "tools": [_WEATHER],
            "store": False,
            "include": ["reasoning.encrypted_content"],
        },
    ),
)
_REPLY: dict[str, Any] = {
    "id": _RESPONSE,
    "object": "response",
    "created_at": 1718622757,
    "model": "gpt-4o-2024-08-06",
    "status": "completed",
    "output": [
        {
            "id": _ITEM,
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "annotations": [], "text": ANSWER}],
        }
    ],
    "usage": {"input_tokens": 13, "output_tokens": 26, "total_tokens": 39},
}
RESPONSES_REPLIES = (Example("An answer", _REPLY),)
_PENDING = {**_REPLY, "status": "in_progress", "output": [], "usage": None}
RESPONSES_EVENTS = (
    Example(
        "The beginning", {"type": "response.created", "response": _PENDING, "sequence_number": 0}
    ),
    Example(
        "A piece of text",
        {
            "type": "response.output_text.delta",
            "item_id": _ITEM,
            "output_index": 0,
            "content_index": 0,
            "delta": "Hello",
            "logprobs": [],
            "sequence_number": 4,
        },
    ),
    Example("The end", {"type": "response.completed", "response": _REPLY, "sequence_number": 8}),
    Example(
        "Metrics, if asked for",
        {
            "type": "headway.metrics",
            "metrics": SAMPLE_REPLY["metrics"],
            "sequence_number": 9,
        },
    ),
)
COUNT_REQUESTS = (Example("A question", _REQUEST),)
COUNTS = (Example("A count", {"object": "response.input_tokens", "input_tokens": 13}),)
STORED_RESPONSES = (
    Example("A stored response", {**_REPLY, "store": True, "previous_response_id": None}),
)
INPUT_ITEMS = (
    Example(
        "The only item",
        {
            "object": "list",
            "data": [
                {
                    "type": "message",
                    "status": "completed",
                    "id": "msg_0b0a4fd193b54c3ei0",
                    "role": "user",
                    "content": [{"type": "input_text", "text": HELLO}],
                }
            ],
            "first_id": "msg_0b0a4fd193b54c3ei0",
            "last_id": "msg_0b0a4fd193b54c3ei0",
            "has_more": False,
        },
    ),
)
DELETED_RESPONSE = (Example("Deleted", {"id": _RESPONSE, "object": "response", "deleted": True}),)
