"""Thought signatures: read from a response as ``reasoning_details``, and sent back with the parts
that they sign (ai.google.dev/gemini-api/docs/thought-signatures).

The same details carry parts that only Google reads: the traces of its server-side tools.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from headway.providers.chat_messages import Message, ToolCall
from headway.providers.gemini.content_blocks import GeminiPart
from headway.providers.gemini.media import convert_part

FORMAT = "google-gemini-v1"
"""The ``format`` of Google's ``reasoning_details``, as OpenRouter names it."""
SKIP_VALIDATION = "skip_thought_signature_validator"
"""The signature that Google documents for calls without one: of other models, or written by
hand."""
EMPTY_TEXT = {"text": ""}
SERVER_TOOL_FIELDS = {
    "executable_code": "executableCode",
    "code_execution_result": "codeExecutionResult",
    "tool_call": "toolCall",
    "tool_response": "toolResponse",
}
"""Fields of a part that server-side tools fill: our names to Google's."""

Fields = dict[str, Any]

# --- From responses -------------------------------------------------------------------------------


def reasoning_detail(part: GeminiPart, call_id: str | None, image: int | None) -> Fields | None:
    """The detail to send back on the next turn: the part's signature, with the tool call or the
    image that it belongs to, or the whole part (``part``) where only Google reads it. None where
    nothing need be sent back."""
    signature = part.thought_signature
    if part.thought and signature:
        return {
            "type": "reasoning.text",
            "text": part.text or "",
            "signature": signature,
            "format": FORMAT,
        }
    kept: Fields = {}
    for field, name in SERVER_TOOL_FIELDS.items():
        if (value := getattr(part, field)) is not None:
            kept[name] = value
    if part.text == "" and signature:
        kept = EMPTY_TEXT
    if image is not None and signature:
        kept = {"image": image}
    if not kept and not signature:
        return None
    detail: Fields = {"type": "reasoning.encrypted", "data": signature or "", "format": FORMAT}
    if call_id is not None:
        detail["id"] = call_id
    elif kept:
        detail["part"] = kept
    return detail


# --- Into requests --------------------------------------------------------------------------------


def details_of(message: Message) -> list[Fields]:
    """Google's entries of the message's ``reasoning_details``."""
    details = message.reasoning_details or ()
    return [detail for detail in details if detail.get("format") == FORMAT]


def calls_of(message: Message) -> list[ToolCall]:
    legacy = [] if message.function_call is None else [ToolCall("", message.function_call)]
    return [*(message.tool_calls or ()), *legacy]


def call_signatures(message: Message) -> list[str | None]:
    """The signature of each of the message's tool calls, in order."""
    by_id = {d["id"]: d.get("data") for d in details_of(message) if d.get("id")}
    return [by_id.get(call.id) or _extra_signature(call) for call in calls_of(message)]


def lacks_signature(message: Message) -> bool:
    """Whether the first tool call, the one that the API validates, has no signature."""
    calls = calls_of(message)
    if message.role != "assistant" or not calls or _extra_signature(calls[0]):
        return False
    return not any(detail.get("id") == calls[0].id for detail in details_of(message))


def _extra_signature(call: ToolCall) -> str | None:
    """Where Google's own OpenAI-compatible API puts it: extra_content.google.thought_signature."""
    extra = call.extra_content
    google = extra.get("google") if isinstance(extra, dict) else None
    return google.get("thought_signature") if isinstance(google, dict) else None


def sign(part: Fields, signature: str | None) -> Fields:
    return {**part, "thoughtSignature": signature} if signature else part


def replayed_parts(message: Message, texts: list[Fields]) -> list[Fields]:
    """All parts of an assistant's message but its tool calls, in the model's order: signed
    thoughts and traces of server-side tools, then ``texts``, then the images that it made."""
    details = [detail for detail in details_of(message) if not detail.get("id")]
    return [*_thoughts(details), *_signed_texts(texts, details), *_signed_images(message, details)]


def _thoughts(details: list[Fields]) -> Iterator[Fields]:
    for detail in details:
        kept = detail.get("part")
        if detail.get("type") == "reasoning.text" and detail.get("signature"):
            thought = {"text": detail.get("text") or "", "thought": True}
            yield sign(thought, detail["signature"])
        elif isinstance(kept, dict) and kept != EMPTY_TEXT and "image" not in kept:
            yield sign(kept, detail.get("data"))


def _signed_texts(texts: list[Fields], details: list[Fields]) -> list[Fields]:
    """The last text gets the first signature. A signature that came alone is sent alone, as is each
    further signature of a text that came in several parts."""
    signed = list(texts)
    for detail in details:
        if detail.get("type") != "reasoning.encrypted" or not detail.get("data"):
            continue
        kept = detail.get("part")
        if kept is None and signed and "thoughtSignature" not in signed[-1]:
            signed[-1] = sign(signed[-1], detail["data"])
        elif kept in (None, EMPTY_TEXT):
            signed.append(sign(EMPTY_TEXT, detail["data"]))
    return signed


def _signed_images(message: Message, details: list[Fields]) -> Iterator[Fields]:
    kept = [(detail.get("part"), detail.get("data")) for detail in details]
    signatures = {part["image"]: data for part, data in kept if part and "image" in part}
    for position, image in enumerate(message.images or ()):
        part = convert_part(image)
        if part is not None:
            yield sign(part, signatures.get(position))
