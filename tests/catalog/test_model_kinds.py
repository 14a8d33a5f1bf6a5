"""What models are for, by their names."""

from __future__ import annotations

from headway.catalog.model_kinds import ModelKind, kind_of
from support.for_each import for_each

NAMES: list[tuple[ModelKind, str]] = [
    ("chat", "gpt-4o"),
    ("chat", "gemini-2.5-flash-image"),
    ("chat", "gpt-4o-search-preview"),
    ("chat", "influx-2"),
    ("chat", "olive-live2"),
    ("embedding", "text-embedding-3-small"),
    ("embedding", "embed-v4.0"),
    ("embedding", "@cf/baai/BGE-m3"),
    ("rerank", "@cf/baai/bge-reranker-base"),
    ("moderation", "omni-moderation-latest"),
    ("transcription", "whisper-1"),
    ("transcription", "gpt-realtime-whisper"),
    ("realtime", "gpt-4o-realtime-preview"),
    ("realtime", "gemini-live-2.5-flash"),
    ("speech", "tts-1-hd"),
    ("speech", "gemini-2.5-pro-tts"),
    ("image", "gpt-image-1"),
    ("image", "black-forest-labs/flux-1"),
    ("ocr", "mistral-ocr-latest"),
]


@for_each(("kind", "name"), NAMES)
def test_the_kind_of_a_model_follows_from_its_name(kind: ModelKind, name: str) -> None:
    assert kind_of(name) == kind
