"""OpenAI chat completions as values: the chunks of a stream, whole answers, errors.

The shapes follow the provider's published API reference: a first chunk with the role alone, one
chunk a piece, a chunk with the finish reason, then, if asked for, usage in a chunk without choices.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

DEPLOYMENT = "gpt-4o-2024-08-06"
DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


def chunk(
    delta: Mapping[str, Any] | None = None,
    *,
    finish: str | None = None,
    index: int = 0,
    logprobs: Any = None,
    **extra: Any,
) -> dict[str, Any]:
    """One ``chat.completion.chunk`` with one choice."""
    choice = {
        "index": index,
        "delta": dict(delta or {}),
        "logprobs": logprobs,
        "finish_reason": finish,
    }
    return {**base(), "choices": [choice], **extra}


def base() -> dict[str, Any]:
    return {
        "id": "chatcmpl-abc123",
        "object": "chat.completion.chunk",
        "created": 1718622757,
        "model": DEPLOYMENT,
        "service_tier": "default",
        "system_fingerprint": "fp_44709d6fcb",
    }


def role(index: int = 0) -> dict[str, Any]:
    """The first event of a real stream: a role and no content."""
    return chunk({"role": "assistant", "content": "", "refusal": None}, index=index)


def text(piece: str, index: int = 0, **extra: Any) -> dict[str, Any]:
    return chunk({"content": piece}, index=index, **extra)


def reasoning(piece: str) -> dict[str, Any]:
    return chunk({"reasoning_content": piece})


def finish(reason: str = "stop", index: int = 0) -> dict[str, Any]:
    return chunk({}, finish=reason, index=index)


def usage(value: Mapping[str, Any] = USAGE) -> dict[str, Any]:
    """The last chunk, which has no choices."""
    return {**base(), "choices": [], "usage": dict(value)}


def tool_start(tool: int, call_id: str, name: str, arguments: str = "") -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    call = {"index": tool, "id": call_id, "type": "function", "function": function}
    return chunk({"tool_calls": [call]})


def tool_piece(tool: int, arguments: str) -> dict[str, Any]:
    return chunk({"tool_calls": [{"index": tool, "function": {"arguments": arguments}}]})


def error_body(message: str, kind: str, code: str | None = None, param: str | None = None) -> bytes:
    body = {"message": message, "type": kind, "param": param, "code": code}
    return json.dumps({"error": body}, indent=4).encode()


def asks_for_usage(request: Mapping[str, Any]) -> bool:
    return bool((request.get("stream_options") or {}).get("include_usage"))


def join_chunks(chunks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The whole completion that a stream of these chunks amounts to."""
    choices: dict[int, dict[str, Any]] = {}
    for one in chunks:
        for piece in one["choices"]:
            blank = {"index": piece["index"], "message": {"role": "assistant", "content": None}}
            _add(choices.setdefault(piece["index"], {**blank, "finish_reason": None}), piece)
    used = [one["usage"] for one in chunks if one.get("usage")]
    answer = {**base(), "object": "chat.completion", "choices": list(choices.values())}
    return {**answer, "usage": used[-1]} if used else answer


def _add(choice: dict[str, Any], piece: Mapping[str, Any]) -> None:
    message, delta = choice["message"], piece["delta"]
    for name in ("content", "reasoning_content"):
        if delta.get(name) is not None:
            message[name] = (message.get(name) or "") + delta[name]
    _add_tools(message, delta.get("tool_calls") or ())
    choice["finish_reason"] = piece["finish_reason"] or choice["finish_reason"]
    choice["logprobs"] = piece["logprobs"] or choice.get("logprobs")


def _add_tools(message: dict[str, Any], calls: Iterable[Mapping[str, Any]]) -> None:
    for call in calls:
        known = message.setdefault("tool_calls", [])
        if call["index"] == len(known):
            known.append({"id": call["id"], "type": "function", "function": {**call["function"]}})
        else:
            known[call["index"]]["function"]["arguments"] += call["function"]["arguments"]
