"""The operations of images, audio, moderations and reranking, for the table in ``operations``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.server.openapi import error_examples
from headway.server.openapi.examples import relayed as examples
from headway.server.openapi.operation import EVENTS, Body, Operation, Parameter
from headway.server.openapi.schemas import relayed

FORM = "multipart/form-data"
TEXT = "text/plain"
PATHS = (
    *("/v1/moderations", "/v1/rerank", "/v2/rerank"),
    *("/v1/images/generations", "/v1/images/edits", "/v1/images/variations"),
    *("/v1/audio/speech", "/v1/audio/transcriptions", "/v1/audio/translations"),
)
_PROVIDERS = """\
The body goes as it is, but for the name of the model, to a provider that has this route \
(docs/providers.md says which); any other provider is a 400. The response is passed on, and its \
usage recorded."""
_FORM = "A form is read whole, up to `server.body_limit`, and passed on byte by byte."
_IMAGES = (
    Body((relayed.Images,), examples.IMAGES),
    Body((relayed.RelayedEvent,), examples.IMAGE_EVENTS, EVENTS),
)
_TRANSCRIPTS = (
    Body((relayed.Transcript,), examples.TRANSCRIPTS),
    Body((relayed.TranscriptText,), examples.TRANSCRIPT_TEXTS, TEXT),
    Body((relayed.RelayedEvent,), examples.TRANSCRIPT_EVENTS, EVENTS),
)
_IMAGE = Body((relayed.ImageRequest,), examples.IMAGE_REQUESTS)
_IMAGE_FORM = Body((relayed.ImageForm,), (), FORM)
_AUDIO_FORM = Body((relayed.AudioForm,), (), FORM)


def operations(
    headers: Mapping[str, Any], parameters: tuple[Parameter, ...]
) -> tuple[Operation, ...]:
    """``headers`` are those of a whole reply, ``parameters`` those of every call."""
    more = {"headers": headers, "parameters": parameters, "errors": error_examples.OPENAI_ERRORS}
    ranked = Body((relayed.RerankRequest,), examples.RERANK_REQUESTS)
    jina = Body((relayed.JinaRanking,), examples.JINA_RANKINGS)
    cohere = Body((relayed.CohereRanking,), examples.COHERE_RANKINGS)
    moderation = (
        Body((relayed.ModerationRequest,), examples.MODERATION_REQUESTS),
        Body((relayed.Moderation,), examples.MODERATIONS),
    )
    speech = (
        Body((relayed.SpeechRequest,), examples.SPEECH_REQUESTS),
        Body((relayed.AudioBytes,), (), "audio/*"),
        Body((relayed.RelayedEvent,), examples.SPEECH_EVENTS, EVENTS),
    )
    in_jinas_shape = "In Jina's shape, with Cohere's fields where the provider has them."
    return (
        _post("moderations", "Moderation", "", moderation, more),
        _post("rerank", "Rerank documents", in_jinas_shape, (ranked, jina), more),
        _post("rerank", "Rerank documents", "In Cohere's shape.", (ranked, cohere), more, "v2"),
        _post("images/generations", "Make images", "", (_IMAGE, *_IMAGES), more),
        _post("images/edits", "Change images", _FORM, (_IMAGE_FORM, *_IMAGES), more, json=_IMAGE),
        _post("images/variations", "Make similar images", _FORM, (_IMAGE_FORM, _IMAGES[0]), more),
        _post("audio/speech", "Speak a text", "Audio is sent as it arrives.", speech, more),
        _post("audio/transcriptions", "Transcribe", _FORM, (_AUDIO_FORM, *_TRANSCRIPTS), more),
        _post("audio/translations", "Translate", _FORM, (_AUDIO_FORM, *_TRANSCRIPTS[:2]), more),
    )


def _post(
    name: str,
    summary: str,
    text: str,
    bodies: tuple[Body, ...],
    more: Mapping[str, Any],
    version: str = "v1",
    json: Body | None = None,
) -> Operation:
    """``bodies`` are those of the request and of the replies."""
    request, *replies = bodies
    is_form = request.media_type == FORM
    path = name.replace("/", "_")
    return Operation(
        method="post",
        path=f"/{version}/{name}",
        id=f"openai_{path}" if version == "v1" else f"cohere_{path}",
        tag="OpenAI",
        summary=summary,
        description=f"{text} {_PROVIDERS}".strip(),
        request=json if is_form else request,
        form=request if is_form else None,
        response="The provider's answer.",
        responses=tuple(replies),
        **more,
    )
