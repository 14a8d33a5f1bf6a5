"""Shapes of images, audio, moderations and reranking: those of OpenAI, Jina and Cohere. What is not
named here is passed on in both directions."""

from __future__ import annotations

from typing import Any

from pydantic import Field, RootModel

from headway.server.openapi.schemas.base import OpenShape


class RelayedUsage(OpenShape):
    """What the provider says it used: tokens, or seconds of audio."""


class ModerationRequest(OpenShape):
    input: str | list[str] | list[dict[str, Any]]
    """A text, several, or texts and images."""
    model: str | None = None
    """`provider/model`; `omni-moderation-latest` by default."""


class Moderation(OpenShape):
    id: str
    model: str
    results: list[dict[str, Any]]
    """For each input whether it is `flagged`, with categories and scores."""


class ImageRequest(OpenShape):
    prompt: str
    model: str
    """`provider/model`."""
    n: int | None = Field(None, ge=1)
    size: str | None = None
    stream: bool | None = None


class ImageForm(OpenShape):
    """`model` may stand anywhere, also behind the files."""

    model: str
    """`provider/model`."""
    image: bytes | None = None
    """A file; `image[]` for several."""
    prompt: str | None = None
    stream: bool | None = None


class Images(OpenShape):
    created: int
    data: list[dict[str, Any]]
    """Each with `b64_json` or `url`."""
    usage: RelayedUsage | None = None


class SpeechRequest(OpenShape):
    model: str
    """`provider/model`."""
    input: str
    """The text to speak."""
    voice: str | dict[str, Any] | None = None
    response_format: str | None = None
    stream_format: str | None = None
    """`sse`: as events, with the usage in the last one."""


class AudioBytes(RootModel[bytes]):
    """Audio in the format that was asked for."""


class AudioForm(OpenShape):
    """`model` may stand anywhere, also behind the file."""

    file: bytes
    model: str
    """`provider/model`."""
    response_format: str | None = None
    """`json`, `verbose_json`, `text`, `srt`, `vtt`, ..."""
    stream: bool | None = None


class Transcript(OpenShape):
    text: str
    usage: RelayedUsage | None = None


class TranscriptText(RootModel[str]):
    """A text, or subtitles."""


class RelayedEvent(OpenShape):
    """An event of the provider, as it sent it."""

    type: str | None = None
    usage: RelayedUsage | None = None


class RerankRequest(OpenShape):
    """In Jina's or Cohere's shape."""

    model: str
    """`provider/model`."""
    query: str
    documents: list[str | dict[str, Any]]
    """Texts, or objects with a `text`."""
    top_n: int | None = None
    return_documents: bool | None = None


class RankedDocument(OpenShape):
    index: int
    """In `documents`."""
    relevance_score: float
    document: dict[str, Any] | None = None
    """If `return_documents` asks for it."""


class JinaRanking(OpenShape):
    model: str
    usage: RelayedUsage
    results: list[RankedDocument]
    """The most relevant first."""


class CohereRanking(OpenShape):
    id: str
    results: list[RankedDocument]
    """The most relevant first."""
    meta: dict[str, Any]
    """`billed_units` or `tokens`, where the provider tells them."""
