"""What the echo provider answers on the routes of images, audio, moderations and reranking: small,
valid, and the same for the same request. A token is a word, as in its chat.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from struct import pack
from typing import Any

import msgspec
from msgspec import Struct

from headway.providers.echo_script import (
    SCRIPTED_ERROR,
    SSE,
    EchoChunk,
    Script,
    ScriptedResponse,
    refusal_of,
    whole_response,
)
from headway.types import Headers
from headway.wire.multipart import FORM_DATA, find_boundary, find_parts, media_type

CREATED = 1_700_000_000
WORD = re.compile(r"\w+")
PIECE = re.compile(r"\s*\S+")
MAX_WORDS = 1000
"""That are spoken."""
MAX_IMAGES = 10
MAX_DOCUMENTS = 1000
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCB2kUIOwAAAABJRU5ErkJggg=="
"""One pixel."""
RATE = 8000
"""Samples a second, each of one byte."""
WORD_OF_SILENCE = b"\x80" * (RATE // 10)
CATEGORIES = (
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit",
    "illicit/violent", "self-harm", "self-harm/instructions", "self-harm/intent", "sexual",
    "sexual/minors", "violence", "violence/graphic",
)  # fmt: skip
TEXT = [(b"content-type", b"text/plain; charset=utf-8")]
WAV = [(b"content-type", b"audio/wav")]
TRUE = (True, "true")
_encode = msgspec.json.Encoder().encode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


class MediaRequest(Struct, frozen=True):
    """``fields`` are those of a JSON body, or the texts of a form; ``files`` are described."""

    fields: dict[str, Any]
    files: list[str]
    script: Script

    def text(self, name: str) -> str:
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""

    @property
    def wants_events(self) -> bool:
        return self.fields.get("stream") in TRUE or self.text("stream_format") == "sse"


def respond_with_media(path: str, body: bytes, content_type: str) -> ScriptedResponse:
    """Raises ValueError, and what msgspec raises, for a request that it cannot read."""
    request = _read(body, content_type)
    refusal = refusal_of(request.script)
    return MEDIA[path](request) if refusal is None else refusal


def _read(body: bytes, content_type: str) -> MediaRequest:
    if media_type(content_type) != FORM_DATA:
        fields = _decode_object(body)
        return MediaRequest(fields, [], msgspec.convert(fields.get("echo") or {}, Script))
    texts, files = dict[str, str](), list[str]()
    for part in find_parts(body, find_boundary(content_type)):
        if part.is_file:
            files.append(f"{part.name}, {part.end - part.start} bytes")
        else:
            texts[part.name] = body[part.start : part.end].decode()
    script = msgspec.json.decode(texts.get("echo", "{}"), type=Script)
    return MediaRequest(dict(texts), files, script)


# --- The routes -----------------------------------------------------------------------------------


def _moderate(request: MediaRequest) -> ScriptedResponse:
    given = request.fields.get("input")
    results = [
        {
            "flagged": False,
            "categories": dict.fromkeys(CATEGORIES, False),
            "category_scores": dict.fromkeys(CATEGORIES, 0.0),
            "category_applied_input_types": {name: ["text"] for name in CATEGORIES},
        }
        for _ in (given if isinstance(given, list) else [given])
    ]
    return _whole(request, {"id": "modr-echo", "model": "echo", "results": results})


def _rerank(request: MediaRequest) -> ScriptedResponse:
    """A document's score is the share of the query's words that it has."""
    documents = request.fields.get("documents")
    if not isinstance(documents, list) or len(documents) > MAX_DOCUMENTS:
        raise ValueError(f"`documents` must be a list of at most {MAX_DOCUMENTS}")
    asked = _words(request.text("query"))
    texts = [str(one.get("text") if isinstance(one, dict) else one) for one in documents]
    scores = [len(asked & _words(text)) / (len(asked) or 1) for text in texts]
    order = sorted(range(len(texts)), key=lambda index: -scores[index])
    top = request.fields.get("top_n")
    results: list[dict[str, Any]] = [
        {"index": index, "relevance_score": scores[index]} for index in order
    ]
    tokens = _count([request.text("query"), *texts])
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    kept = results[:top] if isinstance(top, int) and top >= 0 else results
    return _whole(request, {"model": "echo", "usage": usage, "results": kept})


def _make_images(request: MediaRequest) -> ScriptedResponse:
    """As many as are asked for, each of one token."""
    number = int(request.fields.get("n") or 1)
    if not 1 <= number <= MAX_IMAGES:
        raise ValueError(f"`n` must be a number from 1 to {MAX_IMAGES}")
    tokens = _count([request.text("prompt")])
    usage = {
        "input_tokens": tokens,
        "input_tokens_details": {"text_tokens": tokens, "image_tokens": 0},
        "output_tokens": number,
        "total_tokens": tokens + number,
    }
    if request.wants_events:
        kind = "image_edit.completed" if request.files else "image_generation.completed"
        done = {"type": kind, "b64_json": PNG, "created_at": CREATED, "usage": usage}
        return _events(request, [done])
    body = {"created": CREATED, "data": [{"b64_json": PNG}] * number, "usage": usage}
    return _whole(request, body)


def _speak(request: MediaRequest) -> ScriptedResponse:
    """A tenth of a second of silence for each word, as PCM in a WAV file."""
    words = len(PIECE.findall(request.text("input")))
    if words > MAX_WORDS:
        raise ValueError(f"`input` may have {MAX_WORDS} words")
    if not request.wants_events:
        header = _wav_header(words * len(WORD_OF_SILENCE))
        return _stream(request, WAV, [header, *[WORD_OF_SILENCE] * words])
    audio = b64encode(WORD_OF_SILENCE).decode()
    usage = {"input_tokens": words, "output_tokens": words, "total_tokens": 2 * words}
    deltas = [{"type": "speech.audio.delta", "audio": audio} for _ in range(words)]
    return _events(request, [*deltas, {"type": "speech.audio.done", "usage": usage}])


def _wav_header(size: int) -> bytes:
    """RIFF with one channel of 8-bit PCM."""
    form = pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE, 1, 8)
    return pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + form + pack("<4sI", b"data", size)


def _transcribe(request: MediaRequest) -> ScriptedResponse:
    """The files' names and sizes, as if they were said within a second."""
    text = "; ".join(request.files) or "no file"
    usage = {"type": "duration", "seconds": 1}
    kind = request.text("response_format") or "json"
    if request.wants_events:
        deltas = [
            {"type": "transcript.text.delta", "delta": piece} for piece in PIECE.findall(text)
        ]
        return _events(request, [*deltas, {"type": "transcript.text.done", "text": text}])
    if kind in SUBTITLES:
        return _text(request, SUBTITLES[kind].format(text))
    body: dict[str, Any] = {"text": text, "usage": usage}
    if kind == "verbose_json":
        body |= {"task": "transcribe", "language": "english", "duration": 1.0, "segments": []}
    return _whole(request, body)


SUBTITLES = {
    "text": "{}\n",
    "srt": "1\n00:00:00,000 --> 00:00:01,000\n{}\n",
    "vtt": "WEBVTT\n\n00:00.000 --> 00:01.000\n{}\n",
}
MEDIA: dict[str, Callable[[MediaRequest], ScriptedResponse]] = {
    "/moderations": _moderate,
    "/rerank": _rerank,
    "/images/generations": _make_images,
    "/images/edits": _make_images,
    "/images/variations": _make_images,
    "/audio/speech": _speak,
    "/audio/transcriptions": _transcribe,
    "/audio/translations": _transcribe,
}


# --- Bodies ---------------------------------------------------------------------------------------


def _words(text: str) -> set[str]:
    return set(WORD.findall(text.lower()))


def _count(texts: Iterable[str]) -> int:
    return sum(len(PIECE.findall(text)) for text in texts)


def _whole(request: MediaRequest, body: dict[str, Any]) -> ScriptedResponse:
    if request.script.usage == "none":
        body = {name: value for name, value in body.items() if name != "usage"}
    return whole_response(request.script, 0, _encode(body))


def _text(request: MediaRequest, text: str) -> ScriptedResponse:
    response = whole_response(request.script, 0, text.encode())
    return msgspec.structs.replace(response, headers=TEXT)


def _events(request: MediaRequest, events: list[dict[str, Any]]) -> ScriptedResponse:
    pieces = [b"data: " + _encode(event) + b"\n\n" for event in events]
    return _stream(request, SSE, pieces)


def _stream(request: MediaRequest, headers: Headers, pieces: list[bytes]) -> ScriptedResponse:
    """A piece in place of each token of the script."""
    script = request.script
    gap = 1 / script.tokens_per_second if script.tokens_per_second else 0.0
    chunks = [
        EchoChunk(gap if at else script.first_token, piece) for at, piece in enumerate(pieces)
    ]
    if script.fault is None:
        return ScriptedResponse(script.latency, 200, headers, chunks)
    chunks = chunks[: max(0, script.fault_after)]
    if script.fault == "cut":
        chunks.append(EchoChunk(0, None))
    elif script.fault == "malformed":
        chunks.append(EchoChunk(0, b"data: {\n\n"))
    elif script.fault == "error_event":
        chunks.append(EchoChunk(0, b"data: " + _encode(SCRIPTED_ERROR) + b"\n\n"))
    return ScriptedResponse(script.latency, 200, headers, chunks, script.fault != "stall")
