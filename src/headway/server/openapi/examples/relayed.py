"""Examples of images, audio, moderations and reranking."""

from __future__ import annotations

from headway.server.openapi.examples.base import HELLO, Example

_MODEL = "echo/echo"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCB2kUIOwAAAABJRU5ErkJggg=="
_DOCUMENTS = ["It is a bear.", "The giant panda is a bear of China."]
_RESULTS = [{"index": 1, "relevance_score": 0.82}, {"index": 0, "relevance_score": 0.11}]
MODERATION_REQUESTS = (Example("A text", {"model": _MODEL, "input": HELLO}),)
MODERATIONS = (
    Example(
        "Nothing is flagged; shortened here",
        {
            "id": "modr-970d409e",
            "model": "omni-moderation-latest",
            "results": [
                {
                    "flagged": False,
                    "categories": {"violence": False},
                    "category_scores": {"violence": 0.0001},
                }
            ],
        },
    ),
)
RERANK_REQUESTS = (
    Example(
        "Two documents",
        {"model": _MODEL, "query": "What is a panda?", "documents": _DOCUMENTS, "top_n": 2},
    ),
)
JINA_RANKINGS = (
    Example(
        "The second document comes first",
        {"model": "rerank-2.5", "usage": {"total_tokens": 17}, "results": _RESULTS},
    ),
)
COHERE_RANKINGS = (
    Example(
        "The second document comes first",
        {
            "id": "9ca94863-3776-45e7-92fc-42a927df30cd",
            "results": _RESULTS,
            "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
        },
    ),
)
IMAGE_REQUESTS = (Example("One image", {"model": _MODEL, "prompt": "A red dot", "n": 1}),)
_IMAGE_USAGE = {
    "input_tokens": 3,
    "input_tokens_details": {"text_tokens": 3, "image_tokens": 0},
    "output_tokens": 1,
    "total_tokens": 4,
}
IMAGES = (
    Example(
        "One image",
        {"created": 1713833628, "data": [{"b64_json": PNG}], "usage": _IMAGE_USAGE},
    ),
)
IMAGE_EVENTS = (
    Example(
        "The image is complete",
        {"type": "image_generation.completed", "b64_json": PNG, "usage": _IMAGE_USAGE},
    ),
)
SPEECH_REQUESTS = (
    Example("A sentence", {"model": _MODEL, "input": HELLO, "voice": "alloy"}),
    Example(
        "As events", {"model": _MODEL, "input": HELLO, "voice": "alloy", "stream_format": "sse"}
    ),
)
SPEECH_EVENTS = (
    Example(
        "The end",
        {
            "type": "speech.audio.done",
            "usage": {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115},
        },
    ),
)
TRANSCRIPTS = (
    Example("JSON", {"text": "Hello! Who are you?", "usage": {"type": "duration", "seconds": 2}}),
)
TRANSCRIPT_TEXTS = (Example("A text", "Hello! Who are you?\n"),)
TRANSCRIPT_EVENTS = (
    Example("A piece", {"type": "transcript.text.delta", "delta": "Hello!"}),
    Example("The end", {"type": "transcript.text.done", "text": "Hello! Who are you?"}),
)
