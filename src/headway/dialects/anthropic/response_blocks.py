"""The content of a response as Anthropic's blocks: thinking, blocks that only Anthropic has, text,
and calls of tools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from headway.dialects.anthropic.request_messages import CLAUDE
from headway.dialects.anthropic.tool_names import original_name
from headway.dialects.base import ResponseContext
from headway.response_accumulator import ChoiceAccumulator, ToolCallAccumulator
from headway.wire.sealed_reasoning import seal

STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
NATIVE_REASONS = frozenset(
    {"stop_sequence", "pause_turn", "refusal", "model_context_window_exceeded", "compaction"}
)
"""Reasons for which OpenAI's format has none of the same meaning: ``native_finish_reason``."""
LOCATIONS = frozenset(
    {
        "char_location", "content_block_location", "page_location", "search_result_location",
        "web_search_result_location",
    }
)  # fmt: skip
"""The types of Anthropic's citations."""
SPAN = ("start_index", "end_index")
"""Fields that the gateway adds to citations: their place in the whole text."""

Block = dict[str, Any]

_object = msgspec.json.Decoder(dict[str, Raw]).decode


def content_blocks(choice: ChoiceAccumulator, context: ResponseContext) -> list[Block]:
    """The blocks of a whole response."""
    details = choice.extra.get("reasoning_details") or ()
    server_blocks = choice.extra.get("content_blocks") or ()
    indexed = [*thinking_blocks("".join(choice.reasoning), details), *server_blocks]
    indexed.sort(key=lambda block: block.get("index", 0))
    first = [without_index(block) for block in indexed]
    text = choice.joined_text() + "".join(choice.refusal)
    texts = [_text_block(text, citations_of(choice.extra, text))] if text else []
    calls = [_tool_use(tool, context) for tool in choice.tools.values()]
    return [*first, *texts, *calls]


def thinking_blocks(text: str, details: Iterable[Mapping[str, Any]]) -> list[Block]:
    """The blocks of reasoning, those of Claude with their ``index``. Details of other vendors are
    sealed: together they are the signature of one block, or redacted thinking without a text."""
    blocks: list[Block] = []
    sealed: list[Mapping[str, Any]] = []
    has_texts = False
    for detail in details:
        block = claude_block(detail)
        if block is None:
            sealed.append(detail)
        else:
            has_texts |= block["type"] == "thinking"
            blocks.append({**block, "index": detail.get("index") or 0})
    if text and not has_texts:
        return [{"type": "thinking", "thinking": text, "signature": seal(sealed)}, *blocks]
    if sealed:
        return [redacted_block(sealed), *blocks]
    return blocks


def redacted_block(details: Iterable[Mapping[str, Any]]) -> Block:
    return {"type": "redacted_thinking", "data": seal(list(details))}


def claude_block(detail: Mapping[str, Any]) -> Block | None:
    """The block of a detail that Claude signed or encrypted; None for any other."""
    if detail.get("format") != CLAUDE:
        return None
    if detail.get("type") == "reasoning.encrypted":
        return {"type": "redacted_thinking", "data": detail.get("data") or ""}
    if not detail.get("signature"):
        return None
    text = detail.get("text") or ""
    return {"type": "thinking", "thinking": text, "signature": detail["signature"]}


def without_index(block: Mapping[str, Any]) -> Block:
    """The block without the ``index`` that tells its place in the response."""
    return {name: value for name, value in block.items() if name != "index"}


def _tool_use(tool: ToolCallAccumulator, context: ResponseContext) -> Block:
    name = original_name(tool.name, context)
    return {"type": "tool_use", "id": tool.id, "name": name, "input": _input(tool)}


def _input(tool: ToolCallAccumulator) -> Any:
    """The arguments as the model wrote them. Those that are no whole object, as of a response that
    was cut off, are an empty one."""
    arguments = "".join(tool.arguments)
    try:
        _object(arguments)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return {}
    return Raw(arguments.encode())


# --- Citations ------------------------------------------------------------------------------------


def _text_block(text: str, citations: list[Block]) -> Block:
    block: Block = {"type": "text", "text": text}
    return {**block, "citations": citations} if citations else block


def citations_of(extra: Mapping[str, Any], text: str) -> list[Block]:
    """Anthropic's own citations; else those with a web address, as results of a search."""
    own = own_citations(extra)
    if own:
        return own
    annotations = extra.get("annotations")
    found = annotations if isinstance(annotations, list) else ()
    return [_from_link(each["url_citation"], text) for each in found if _is_link(each)]


def own_citations(extra: Mapping[str, Any]) -> list[Block]:
    """Those that are in Anthropic's form."""
    given = extra.get("citations")
    own = [each for each in given if _is_own(each)] if isinstance(given, list) else []
    return [{k: v for k, v in each.items() if k not in SPAN} for each in own]


def _is_own(citation: Any) -> bool:
    kind = citation.get("type") if isinstance(citation, dict) else None
    return isinstance(kind, str) and kind in LOCATIONS


def _is_link(annotation: Any) -> bool:
    return isinstance(annotation, dict) and isinstance(annotation.get("url_citation"), dict)


def _from_link(link: Mapping[str, Any], text: str) -> Block:
    """``encrypted_index`` is for Anthropic alone, which needs none of another provider's result."""
    start, end = link.get("start_index"), link.get("end_index")
    has_span = isinstance(start, int) and isinstance(end, int)
    return {
        "type": "web_search_result_location",
        "cited_text": text[start:end] if has_span else "",
        "encrypted_index": "",
        "title": link.get("title"),
        "url": link.get("url") or "",
    }


# --- The end --------------------------------------------------------------------------------------


def stop_fields(choice: ChoiceAccumulator | None) -> Block:
    """``stop_reason``, ``stop_sequence`` and ``stop_details``."""
    extra = {} if choice is None else choice.extra
    native = extra.get("native_finish_reason")
    reason = native if native in NATIVE_REASONS else _stop_reason(choice)
    sequence = extra.get("stop_sequence")
    return {
        "stop_reason": reason,
        "stop_sequence": sequence if isinstance(sequence, str) else None,
        "stop_details": extra.get("stop_details"),
    }


def _stop_reason(choice: ChoiceAccumulator | None) -> str:
    if choice is None:
        return "end_turn"
    reason = STOP_REASONS.get(choice.finish_reason or "", "end_turn")
    if reason != "end_turn":
        return reason
    return "tool_use" if choice.tools else "refusal" if choice.refusal else reason
