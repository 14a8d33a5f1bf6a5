"""The routes of OpenAI's API."""

from headway.server.openapi.examples.base import ANSWER, HELLO, PROVIDER, Example, new_choice
from headway.server.openapi.examples.engine import SAMPLE_REPLY

_OPENAI_REQUEST = {
    "model": "local/smollm2-135m-instruct",
    "messages": [{"role": "user", "content": HELLO}],
}
OPENAI_REQUESTS = (
    Example("A question", _OPENAI_REQUEST),
    Example(
        "As a stream, with usage",
        {**_OPENAI_REQUEST, "stream": True, "stream_options": {"include_usage": True}},
    ),
)
OPENAI_REPLIES = (
    Example(
        "An answer",
        {
            "id": "chatcmpl-9b1e58f1",
            "object": "chat.completion",
            "created": 1718622757,
            "model": "gpt-3.5-turbo-0125",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": ANSWER, "refusal": None},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 13, "completion_tokens": 26, "total_tokens": 39},
        },
    ),
)
_OPENAI_CHUNK = {
    "id": "chatcmpl-9b1e58f1",
    "object": "chat.completion.chunk",
    "created": 1718622757,
    "model": "gpt-3.5-turbo-0125",
}
OPENAI_CHUNKS = (
    Example(
        "Text",
        {**_OPENAI_CHUNK, "choices": [new_choice({"role": "assistant", "content": "Hello"})]},
    ),
    Example("The end of a choice", {**_OPENAI_CHUNK, "choices": [new_choice({}, "stop")]}),
    Example(
        "Usage, if asked for",
        {
            **_OPENAI_CHUNK,
            "choices": [],
            "usage": {"prompt_tokens": 13, "completion_tokens": 26, "total_tokens": 39},
        },
    ),
    Example(
        "Metrics, if asked for",
        {**_OPENAI_CHUNK, "choices": [], "metrics": SAMPLE_REPLY["metrics"]},
    ),
)
_EMBEDDER = "text-embedding-3-small"
EMBEDDINGS_REQUESTS = (
    Example("A text", {"model": f"{PROVIDER}/{_EMBEDDER}", "input": HELLO}),
    Example(
        "Two texts, in short vectors",
        {"model": f"{PROVIDER}/{_EMBEDDER}", "input": [HELLO, ANSWER], "dimensions": 256},
    ),
)
EMBEDDINGS_REPLIES = (
    Example(
        "One vector, shortened here",
        {
            "object": "list",
            "data": [{"object": "embedding", "index": 0, "embedding": [-0.0139, 0.0187, -0.0454]}],
            "model": _EMBEDDER,
            "usage": {"prompt_tokens": 6, "total_tokens": 6},
        },
    ),
)
COMPLETION_UPDATE = (Example("A tag", {"metadata": {"team": "search"}}),)
_STORED = {**OPENAI_REPLIES[0].value, "metadata": {"team": "search"}}
STORED_COMPLETION = (Example("An answer", _STORED),)
STORED_COMPLETIONS = (
    Example(
        "The only completion",
        {
            "object": "list",
            "data": [_STORED],
            "first_id": _STORED["id"],
            "last_id": _STORED["id"],
            "has_more": False,
        },
    ),
)
DELETED_COMPLETION = (
    Example("Deleted", {"object": "chat.completion.deleted", "id": "chatcmpl-1", "deleted": True}),
)
COMPLETION_MESSAGES = (
    Example(
        "The only message",
        {
            "object": "list",
            "data": [{"id": "chatcmpl-1-0", "role": "user", "content": HELLO}],
            "first_id": "chatcmpl-1-0",
            "last_id": "chatcmpl-1-0",
            "has_more": False,
        },
    ),
)
