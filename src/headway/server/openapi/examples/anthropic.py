"""The routes of Anthropic's API."""

from headway.server.openapi.examples.base import ANSWER, HELLO, Example
from headway.server.openapi.examples.engine import SAMPLE_REPLY

_REQUEST = {
    "model": "anthropic/claude-sonnet-4-5",
    "max_tokens": 1024,
    "messages": [{"role": "user", "content": HELLO}],
}
REQUESTS = (
    Example("A question", _REQUEST),
    Example("As a stream", {**_REQUEST, "stream": True}),
)
COUNT_REQUESTS = (Example("A question", {name: _REQUEST[name] for name in ("model", "messages")}),)
COUNTS = (Example("A count", {"input_tokens": 13}),)
_MESSAGE = {
    "id": "msg_72f34d3bf25449509d6f9f66e082fd2f",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
}
_INPUT = {"input_tokens": 13, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
REPLIES = (
    Example(
        "An answer",
        {
            **_MESSAGE,
            "content": [{"type": "text", "text": ANSWER}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {**_INPUT, "output_tokens": 26},
        },
    ),
)
EVENTS = (
    Example(
        "The message begins",
        {
            "type": "message_start",
            "message": {**_MESSAGE, "content": [], "usage": {**_INPUT, "output_tokens": 1}},
        },
    ),
    Example(
        "A block begins",
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "text", "text": ""},
        },
    ),
    Example(
        "Text",
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": "Hello"},
        },
    ),
    Example("A block ends", {"type": "content_block_stop", "index": 0}),
    Example(
        "The reason and the usage",
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {**_INPUT, "output_tokens": 26},
        },
    ),
    Example("Metrics, if asked for", {"type": "ping", "metrics": SAMPLE_REPLY["metrics"]}),
    Example("The end", {"type": "message_stop"}),
)
