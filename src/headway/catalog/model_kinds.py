"""What a model is for, by its name. Neither the price data nor the providers' lists say it."""

from __future__ import annotations

import re
from typing import Literal

ModelKind = Literal[
    "chat", "embedding", "rerank", "moderation", "image", "speech", "transcription", "realtime",
    "ocr",
]  # fmt: skip
KINDS: dict[ModelKind, str] = {
    "rerank": r"rerank",
    "embedding": r"embed|(?:^|/)(?:bge|gte|e5)-",
    "moderation": r"moderation",
    "transcription": r"whisper|transcribe",
    "realtime": r"realtime|(?:^|[-/])live(?:-|$)",
    "speech": r"(?:^|[-/])tts(?:-|$)",
    "image": r"gpt-image|chatgpt-image|dall-e|imagen|(?:^|/)flux|stable-diffusion|sdxl",
    "ocr": r"(?:^|[-/])ocr(?:-|$)",
}
"""The first whose pattern is found in the name; of others ``chat``."""
_PATTERNS = tuple((kind, re.compile(pattern)) for kind, pattern in KINDS.items())


def kind_of(name: str) -> ModelKind:
    short = name.lower()
    return next((kind for kind, pattern in _PATTERNS if pattern.search(short)), "chat")
