"""The parts of a response in Google's format (GenerateContentResponse in
ai.google.dev/api/generate-content), made of OpenAI's.

A response of another provider has its reasoning to send back in the thought signature of the first
function call, which clients have to return, or of the last part of the text
(``wire.sealed_reasoning``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from headway.dialects.gemini.names import Fields
from headway.types import Usage
from headway.wire.sealed_reasoning import seal

FINISH_REASONS: Mapping[str | None, str] = {
    None: "STOP",
    "stop": "STOP",
    "tool_calls": "STOP",
    "function_call": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
}
"""OpenAI's to Google's. A reason in capitals is Google's own already."""
MALFORMED_CALL = "MALFORMED_FUNCTION_CALL"
PCM = "audio/L16;codec=pcm;rate=24000"
"""OpenAI's pcm16."""

_decode_arguments = msgspec.json.Decoder(dict[str, Raw]).decode


class Call:
    """A tool call, its arguments in pieces."""

    __slots__ = ("arguments", "id", "name")

    def __init__(self, call_id: str, name: str) -> None:
        self.id = call_id
        self.name = name
        self.arguments: list[str] = []

    def part(self) -> Fields | None:
        """None while the arguments are not whole."""
        try:
            arguments = _decode_arguments("".join(self.arguments) or "{}")
        except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError):
            return None
        call: Fields = {"id": self.id} if self.id else {}
        return {"functionCall": {**call, "name": self.name, "args": arguments}}

    def __str__(self) -> str:
        return f"{self.name}({''.join(self.arguments)})"


def attach(parts: list[Fields], details: list[Mapping[str, Any]], hidden_text: str) -> list[Fields]:
    """``parts`` with the reasoning to send back. ``hidden_text`` is the text of it that the client
    does not see; without details a provider needs it only for a conversation with tool calls."""
    calls = [i for i, part in enumerate(parts) if "functionCall" in part]
    text = hidden_text if calls and not details else ""
    if not details and not text:
        return parts
    signature = seal(details, text)
    texts = [i for i, part in enumerate(parts) if "text" in part and not part.get("thought")]
    if not calls and not texts:
        return [*parts, {"text": "", "thoughtSignature": signature}]
    place = calls[0] if calls else texts[-1]
    signed = {**parts[place], "thoughtSignature": signature}
    return [*parts[:place], signed, *parts[place + 1 :]]


def media_parts(extra: Mapping[str, Any]) -> list[Fields]:
    """Images and audio of a message."""
    parts = []
    for image in extra.get("images") or ():
        url = (image.get("image_url") or {}).get("url") or ""
        head, comma, data = url.partition(";base64,")
        if comma:
            blob = {"mimeType": head.removeprefix("data:"), "data": data}
            parts.append({"inlineData": blob})
        elif url:
            parts.append({"fileData": {"mimeType": "image/png", "fileUri": url}})
    audio = extra.get("audio") or {}
    if audio.get("data"):
        parts.append({"inlineData": {"mimeType": PCM, "data": audio["data"]}})
    return parts


def finish_fields(
    reason: str | None, refusal: str, broken: list[Call], annotations: Fields
) -> Fields:
    """The end of a candidate. ``broken`` are calls whose arguments are no object."""
    own = reason if reason is not None and reason.isupper() else "OTHER"
    name = FINISH_REASONS.get(reason, own)
    fields: Fields = {"finishReason": name, **annotations}
    if broken and name == "STOP":
        calls = ", ".join(map(str, broken))
        fields |= {
            "finishReason": MALFORMED_CALL,
            "finishMessage": f"Malformed function call: {calls}",
        }
    elif refusal and name in ("STOP", "SAFETY"):
        fields |= {"finishReason": "SAFETY", "finishMessage": refusal}
    return fields


def logprobs_result(logprobs: Any) -> Fields | None:
    """OpenAI's ``logprobs`` as a LogprobsResult."""
    tokens = _objects(logprobs.get("content") if isinstance(logprobs, dict) else None)
    if not tokens:
        return None
    chosen = [_token(each) for each in tokens]
    tops = [list(map(_token, _objects(each.get("top_logprobs")))) for each in tokens]
    found: Fields = {"chosenCandidates": chosen}
    if any(tops):
        found["topCandidates"] = [{"candidates": each} for each in tops]
    return found


def _objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects in a list; what providers send may have another shape."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _token(token: Mapping[str, Any]) -> Fields:
    return {"token": token.get("token"), "logProbability": token.get("logprob")}


def grounding_fields(extra: Mapping[str, Any], text: str) -> Fields:
    """Google's own metadata, or citations in OpenAI's shape as grounding in the web."""
    if extra.get("grounding_metadata"):
        return {"groundingMetadata": extra["grounding_metadata"]}
    chunks: list[Fields] = []
    supports: list[Fields] = []
    for annotation in _objects(extra.get("annotations")):
        citation = annotation.get("url_citation")
        if not isinstance(citation, dict) or not citation.get("url"):
            continue
        web = {"uri": citation["url"], "title": citation.get("title") or ""}
        if {"web": web} not in chunks:
            chunks.append({"web": web})
        start, end = citation.get("start_index"), citation.get("end_index")
        if isinstance(start, int) and isinstance(end, int):
            index = chunks.index({"web": web})
            segment = _segment(text, start, end)
            supports.append({"segment": segment, "groundingChunkIndices": [index]})
    if not chunks:
        return {}
    found: Fields = {"groundingChunks": chunks}
    return {"groundingMetadata": {**found, "groundingSupports": supports} if supports else found}


def _segment(text: str, start: int, end: int) -> Fields:
    """Google's offsets are in bytes, OpenAI's in characters."""
    return {
        "startIndex": len(text[:start].encode(errors="replace")),
        "endIndex": len(text[:end].encode(errors="replace")),
        "text": text[start:end],
    }


def usage_metadata(usage: Usage) -> Fields:
    """Google's counts: those of the prompt include what was cached, those of the candidates exclude
    thoughts (recordings of generateContent)."""
    prompt, output, thoughts = usage.input_tokens, usage.output_tokens, usage.reasoning_tokens
    visible = None if output is None else max(0, output - (thoughts or 0))
    known = [count for count in (prompt, output) if count is not None]
    counts = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": visible,
        "totalTokenCount": sum(known) if known else None,
        "cachedContentTokenCount": usage.cache_read_tokens,
        "thoughtsTokenCount": thoughts,
    }
    found: Fields = {name: count for name, count in counts.items() if count is not None}
    audio = usage.input_audio_tokens
    if prompt is not None:
        text = {"modality": "TEXT", "tokenCount": prompt - (audio or 0)}
        details = [text, {"modality": "AUDIO", "tokenCount": audio}] if audio else [text]
        found["promptTokensDetails"] = details
    return found
