"""The routes of Google's API."""

from headway.server.openapi.examples.base import ANSWER, HELLO, PROVIDER, Example
from headway.server.openapi.examples.engine import SAMPLE_REPLY

CALLED = f"{PROVIDER}/gpt-4o"
EMBEDDER = f"{PROVIDER}/text-embedding-3-small"
MODEL = "google/gemini-2.5-flash"
_CONTENT = {"role": "user", "parts": [{"text": HELLO}]}
REQUESTS = (
    Example("A question", {"contents": [_CONTENT]}),
    Example(
        "With thoughts",
        {
            "contents": [_CONTENT],
            "generationConfig": {"thinkingConfig": {"includeThoughts": True}},
        },
    ),
)
_NAMED = {"modelVersion": "gemini-2.5-flash", "responseId": "_Jioaa-LI6Xhz7IP6d3C"}


def _candidate(text: str, **more: object) -> dict[str, object]:
    return {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0, **more}


_USAGE = {"promptTokenCount": 13, "candidatesTokenCount": 26, "totalTokenCount": 39}
REPLIES = (
    Example(
        "An answer",
        {
            "candidates": [_candidate(ANSWER, finishReason="STOP")],
            "usageMetadata": _USAGE,
            **_NAMED,
        },
    ),
)
ELEMENTS = (
    Example("Text", {"candidates": [_candidate("Hello")], **_NAMED}),
    Example(
        "The end",
        {"candidates": [_candidate("", finishReason="STOP")], "usageMetadata": _USAGE, **_NAMED},
    ),
    Example(
        "Metrics, if asked for", {"candidates": [], "metrics": SAMPLE_REPLY["metrics"], **_NAMED}
    ),
)
LISTS = (Example("The elements of a list", [each.value for each in ELEMENTS[:2]]),)
COUNTS = (Example("A count", {"totalTokens": 13}),)
_VECTOR = {"values": [-0.0139, 0.0187, -0.0454]}
_TO_EMBED = {"content": {"parts": [{"text": HELLO}]}}
EMBED_REQUESTS = (Example("A text", _TO_EMBED),)
BATCH_REQUESTS = (Example("Two texts", {"requests": [_TO_EMBED, _TO_EMBED]}),)
EMBED_REPLIES = (Example("A vector, shortened here", {"embedding": _VECTOR}),)
BATCH_REPLIES = (Example("Two vectors, shortened here", {"embeddings": [_VECTOR, _VECTOR]}),)
_MODEL = {
    "name": f"models/{MODEL}",
    "version": "",
    "displayName": MODEL,
    "supportedGenerationMethods": ["generateContent", "countTokens"],
    "inputTokenLimit": 1048576,
}
MODELS = (Example("A page", {"models": [_MODEL], "nextPageToken": "1"}),)
MODEL_REPLIES = (Example("A model", _MODEL),)
