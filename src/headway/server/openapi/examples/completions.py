"""The route of OpenAI's legacy completions."""

from headway.server.openapi.examples.base import PROVIDER, Example

_REQUEST: dict[str, object] = {
    "model": "local/smollm2-135m-instruct",
    "prompt": "The capital of France is",
    "max_tokens": 16,
}
FIM_REQUESTS = (
    Example(
        "The middle of a function",
        {
            "model": f"{PROVIDER}/gpt-3.5-turbo-instruct",
            "prompt": "def double(n):\n    return ",
            "suffix": "\n\nprint(double(2))",
            "max_tokens": 16,
            "stream": True,
        },
    ),
)
REQUESTS = (
    Example("Continue a text", _REQUEST),
    Example(
        "As a stream, with usage",
        {**_REQUEST, "stream": True, "stream_options": {"include_usage": True}},
    ),
    Example(
        "Fill in the middle, for models that can",
        {
            "model": f"{PROVIDER}/gpt-3.5-turbo-instruct",
            "prompt": "def double(n):\n    return ",
            "suffix": "\n\nprint(double(2))",
            "max_tokens": 16,
        },
    ),
)
_HEAD = {
    "id": "cmpl-9b1e58f1",
    "object": "text_completion",
    "created": 1718622757,
    "model": "gpt-3.5-turbo-instruct",
}
_USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}


def _choice(text: str, reason: str | None) -> list[dict[str, object]]:
    return [{"text": text, "index": 0, "logprobs": None, "finish_reason": reason}]


REPLIES = (
    Example("A completion", {**_HEAD, "choices": _choice(" Paris.", "stop"), "usage": _USAGE}),
)
CHUNKS = (
    Example("Text", {**_HEAD, "choices": _choice(" Paris", None)}),
    Example("The end of a choice", {**_HEAD, "choices": _choice("", "stop")}),
    Example("Usage, if asked for", {**_HEAD, "choices": [], "usage": _USAGE}),
)
