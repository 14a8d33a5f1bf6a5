"""The routes of Ollama's API."""

from headway.server.openapi.examples.base import ANSWER, HELLO, PROVIDER, Example

MODEL = f"{PROVIDER}/gpt-4o"
_AT = {"model": "gpt-4o", "created_at": "2026-01-01T00:00:00.000000Z"}
_END = {
    "done": True,
    "done_reason": "stop",
    "total_duration": 812000000,
    "load_duration": 0,
    "prompt_eval_count": 13,
    "prompt_eval_duration": 301000000,
    "eval_count": 26,
    "eval_duration": 511000000,
}


def _message(text: str) -> dict[str, object]:
    return {"message": {"role": "assistant", "content": text}}


CHAT_REQUESTS = (
    Example(
        "A question",
        {"model": MODEL, "messages": [{"role": "user", "content": HELLO}], "stream": False},
    ),
)
CHAT_REPLIES = (Example("An answer", {**_AT, **_message(ANSWER), **_END}),)
CHAT_LINES = (
    Example("Text", {**_AT, **_message("Hello"), "done": False}),
    Example("The end", {**_AT, **_message(""), **_END}),
)
GENERATE_REQUESTS = (Example("A question", {"model": MODEL, "prompt": HELLO, "stream": False}),)
GENERATE_REPLIES = (Example("An answer", {**_AT, "response": ANSWER, **_END}),)
GENERATE_LINES = (
    Example("Text", {**_AT, "response": "Hello", "done": False}),
    Example("The end", {**_AT, "response": "", **_END}),
)
_EMBEDDER = f"{PROVIDER}/text-embedding-3-small"
_VECTOR = [-0.0139, 0.0187, -0.0454]
EMBED_REQUESTS = (Example("Two texts", {"model": _EMBEDDER, "input": [HELLO, ANSWER]}),)
EMBED_REPLIES = (
    Example(
        "Two vectors, shortened here",
        {
            "model": "text-embedding-3-small",
            "embeddings": [_VECTOR, _VECTOR],
            "total_duration": 93000000,
            "load_duration": 0,
            "prompt_eval_count": 39,
        },
    ),
)
EMBEDDINGS_REQUESTS = (Example("A text", {"model": _EMBEDDER, "prompt": HELLO}),)
EMBEDDINGS_REPLIES = (Example("A vector, shortened here", {"embedding": _VECTOR}),)
_DIGEST = "5b5d1a1c6fa1b1d4f2a6f3b8f5e8a1d3c4b5a69788796a5b4c3d2e1f00112233"
MODELS = (
    Example(
        "A list",
        {
            "models": [
                {
                    "name": MODEL,
                    "model": MODEL,
                    "modified_at": "1970-01-01T00:00:00Z",
                    "size": 0,
                    "digest": _DIGEST,
                    "details": {
                        "parent_model": "",
                        "format": "",
                        "family": PROVIDER,
                        "families": [PROVIDER],
                        "parameter_size": "",
                        "quantization_level": "",
                    },
                }
            ]
        },
    ),
)
RUNNING = (Example("None", {"models": []}),)
SHOW_REQUESTS = (Example("A model", {"model": MODEL}),)
DETAILS = (
    Example(
        "Details",
        {
            "modelfile": "",
            "parameters": "",
            "template": "",
            "details": {"family": PROVIDER, "families": [PROVIDER]},
            "model_info": {
                "general.architecture": PROVIDER,
                f"{PROVIDER}.context_length": 128000,
            },
            "capabilities": ["completion", "tools", "thinking", "vision"],
            "modified_at": "1970-01-01T00:00:00Z",
        },
    ),
)
VERSIONS = (Example("A version", {"version": "0.13.0"}),)
