"""Accumulate the events of one response."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.events import (
    CONTENT,
    BodyReceived,
    Embeddings,
    EmbeddingsReceived,
    Event,
    ExtraFields,
    Failed,
    Finished,
    Logprobs,
    ModelReported,
    PieceReceived,
    Reasoning,
    ReasoningDetail,
    Refusal,
    ResponseSummary,
    Rewritten,
    ServiceTierReported,
    Started,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
    UsageReported,
)
from headway.types import Transformation, Usage
from headway.wire.merge import merge_known

UNKNOWN_USAGE = Usage()
NOT_STARTED = Started()
WEAK_REASONS = (None, "stop")
"""They replace no other reason: some streams say twice that they ended, and only once why."""
MAX_REPORTS = 64
"""Reports of usage that are kept before they are merged: some streams have one in every event."""

_decode_any = msgspec.json.Decoder().decode


class ToolCallAccumulator:
    """One tool call, its arguments in pieces."""

    __slots__ = ("arguments", "id", "legacy", "name")

    def __init__(self, id: str, name: str, legacy: bool) -> None:  # noqa: A002
        self.id = id
        self.name = name
        self.legacy = legacy
        self.arguments: list[str] = []


class ChoiceAccumulator:
    """One choice (OpenAI's `choices[]`), its texts in pieces."""

    __slots__ = ("extra", "finish_reason", "logprobs", "reasoning", "refusal", "text", "tools")

    def __init__(self) -> None:
        self.text: list[str] = []
        self.reasoning: list[str] = []
        self.refusal: list[str] = []
        self.tools: dict[int, ToolCallAccumulator] = {}
        self.logprobs: dict[str, Any] | None = None
        self.extra: dict[str, Any] = {}
        self.finish_reason: str | None = None

    def inferred_reason(self) -> str:
        """The finish reason of a complete choice whose provider gave none."""
        if not self.tools:
            return "stop"
        is_legacy = all(tool.legacy for tool in self.tools.values())
        return "function_call" if is_legacy else "tool_calls"

    def joined_text(self) -> str:
        """The joined text; the parts are replaced by it."""
        text = self.text
        if len(text) > 1:
            text[:] = ["".join(text)]
        return text[0] if text else ""

    def message(self) -> dict[str, Any]:
        """The message in OpenAI's shape: the engine contract's four keys, then further ones."""
        text, calls, legacy = self.joined_text(), None, None
        if self.tools:
            calls = [_call(tool) for tool in self.tools.values() if not tool.legacy]
            legacy = [_function(tool) for tool in self.tools.values() if tool.legacy]
        has_other_output = self.tools or self.refusal
        message: dict[str, Any] = {
            "content": None if not text and has_other_output else text,
            "role": "assistant",
            "function_call": legacy[0] if legacy else None,
            "tool_calls": calls or None,
        }
        if self.reasoning:
            message["reasoning_content"] = "".join(self.reasoning)
        if self.refusal:
            message["refusal"] = "".join(self.refusal)
        if self.extra:
            message.update(self.extra)
        return message

    def output(self) -> str:
        """The output text: content, or for tool calls their arguments, or a refusal."""
        if text := self.joined_text():
            return text
        if self.tools:
            return "\n".join("".join(tool.arguments) for tool in self.tools.values())
        return "".join(self.refusal)


class ResponseAccumulator:
    """The choices of one response, and what the provider reported about it."""

    __slots__ = (
        "_usage_reports",
        "body",
        "choices",
        "done",
        "embeddings",
        "failed",
        "inferred",
        "notes",
        "service_tier",
        "started",
    )

    def __init__(self) -> None:
        self.choices: dict[int, ChoiceAccumulator] = {}
        self.started: Started | None = None
        self._usage_reports: list[UsageReported] = []
        self.service_tier: str | None = None
        """The last one that was told."""
        self.body = b""
        """That of a response that is passed on."""
        self.embeddings: Embeddings | None = None
        self.failed: Exception | None = None
        self.done = False
        self.inferred: set[int] = set()
        """Indexes of the choices whose finish reason is inferred."""
        self.notes: tuple[Transformation, ...] = ()
        """What else the gateway did with the response."""

    def add(self, events: list[Event]) -> bool:
        """Add the events of one frame. Returns whether any of them is content."""
        has_content = False
        for event in events:
            if type(event) is Text:  # fast path: nearly all events are text
                choice = self.choices.get(event.index)
                (choice or self.choice(event.index)).text.append(event.text)
                has_content = True
            else:
                ADD_EVENT[type(event)](self, event)
                has_content = has_content or type(event) in CONTENT
        return has_content

    def choice(self, index: int) -> ChoiceAccumulator:
        found = self.choices.get(index)
        if found is None:
            found = self.choices[index] = ChoiceAccumulator()
        return found

    @property
    def usage(self) -> UsageReported | None:
        """What all reports of usage tell together: the last one, unless it tells less."""
        reports = self._usage_reports
        if len(reports) > 1:
            merged = merge_usage(reports)
            reports[:] = [merged, reports[-1]]
            return merged if self.is_usage_merged else reports[-1]
        return reports[0] if reports else None

    @property
    def is_usage_merged(self) -> bool:
        """The last report of usage lacks something that an earlier one told."""
        reports = self._usage_reports
        return len(reports) > 1 and merge_usage(reports) != _parsed(reports[-1])

    @property
    def finish_reason(self) -> str | None:
        """The finish reason of the first choice."""
        first = self.choices.get(0)
        return None if first is None else first.finish_reason

    @property
    def is_finished(self) -> bool:
        """There is a choice, and every choice has a finish reason: the provider's, or one that is
        inferred because the end mark was seen."""
        for choice in self.choices.values():
            if not choice.finish_reason:
                return False
        return bool(self.choices)

    @property
    def transformations(self) -> tuple[Transformation, ...]:
        """What the gateway supplied because the provider's response lacked it."""
        found = (self.choices[index].finish_reason for index in sorted(self.inferred))
        reasons = ", ".join(dict.fromkeys(reason for reason in found if reason))
        method = f"{reasons}, because the provider gave none"
        inferred = (Transformation("emulated", "finish_reason", method),) if reasons else ()
        return (*inferred, *self.notes) if self.notes else inferred

    def output(self) -> str:
        first = self.choices.get(0)
        return "" if first is None else first.output()

    def produced(self) -> str:
        """All generated text, for counting tokens where usage is not reported."""
        pieces: list[str] = []
        for choice in self.choices.values():
            pieces += [*choice.reasoning, *choice.text, *choice.refusal]
            for tool in choice.tools.values():
                pieces += [tool.name, *tool.arguments]
        return "".join(pieces)

    def reported(self) -> Usage:
        usage = self.usage
        return UNKNOWN_USAGE if usage is None else usage.usage

    def summary(self) -> ResponseSummary:
        started = self.started or NOT_STARTED
        return ResponseSummary(
            self.reported(), self.finish_reason, started.model, self.service_tier, started.id
        )


def _add_started(response: ResponseAccumulator, event: Started) -> None:
    response.started = event
    response.service_tier = event.service_tier or response.service_tier


def _add_model(response: ResponseAccumulator, event: ModelReported) -> None:
    started = response.started or NOT_STARTED
    response.started = replace(started, model=event.model)


def _add_service_tier(response: ResponseAccumulator, event: ServiceTierReported) -> None:
    response.service_tier = event.service_tier


def _add_reasoning(response: ResponseAccumulator, event: Reasoning) -> None:
    response.choice(event.index).reasoning.append(event.text)


def _add_detail(response: ResponseAccumulator, event: ReasoningDetail) -> None:
    extra = response.choice(event.index).extra
    extra["reasoning_details"] = [*extra.get("reasoning_details", ()), event.value]


def _add_refusal(response: ResponseAccumulator, event: Refusal) -> None:
    response.choice(event.index).refusal.append(event.text)


def _add_tool(response: ResponseAccumulator, event: ToolStarted) -> None:
    tool = ToolCallAccumulator(event.id, event.name, event.legacy)
    response.choice(event.index).tools[event.tool] = tool


def _add_arguments(response: ResponseAccumulator, event: ToolArguments) -> None:
    tools = response.choice(event.index).tools
    if event.tool not in tools:
        tools[event.tool] = ToolCallAccumulator("", "", event.legacy)
    tools[event.tool].arguments.append(event.text)


def _add_logprobs(response: ResponseAccumulator, event: Logprobs) -> None:
    """Append the tokens of the event to those of the choice."""
    choice = response.choice(event.index)
    if choice.logprobs is None:
        choice.logprobs = {}
    for name, value in event.value.items():
        if not isinstance(value, list):
            choice.logprobs.setdefault(name, value)
        elif isinstance(grown := choice.logprobs.get(name), list):
            grown += value
        else:
            choice.logprobs[name] = list(value)


def _add_extra(response: ResponseAccumulator, event: ExtraFields) -> None:
    extra = response.choice(event.index).extra
    for name, value in event.fields.items():
        old = extra.get(name)
        if isinstance(value, list):
            extra[name] = [*old, *value] if isinstance(old, list) else list(value)
        elif isinstance(value, dict):
            extra[name] = _merged(old if isinstance(old, dict) else {}, value)
        else:
            extra[name] = value


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Merge two objects. Audio arrives as pieces of ``data`` (base64) and ``transcript``, which
    are concatenated."""
    grown = dict(old)
    for name, value in new.items():
        is_piece = name in ("data", "transcript") and isinstance(value, str)
        joins = is_piece and isinstance(old.get(name), str)
        grown[name] = old[name] + value if joins else value
    return grown


def _add_finished(response: ResponseAccumulator, event: Finished) -> None:
    choice, reason = response.choice(event.index), event.reason
    if reason is None:
        _infer_reason(response, event.index)
    elif reason not in WEAK_REASONS or choice.finish_reason in WEAK_REASONS:
        response.inferred.discard(event.index)
        choice.finish_reason = reason


def _infer_reason(response: ResponseAccumulator, index: int) -> None:
    choice = response.choices[index]
    if choice.finish_reason is None:
        choice.finish_reason = choice.inferred_reason()
        response.inferred.add(index)


def _add_usage(response: ResponseAccumulator, event: UsageReported) -> None:
    reports = response._usage_reports
    reports.append(event)
    if len(reports) > MAX_REPORTS:
        reports[:] = [merge_usage(reports), event]


def merge_usage(reports: list[UsageReported]) -> UsageReported:
    """One report with the fields of all: of each field the last value that tells something."""
    merged = _parsed(reports[0])
    for report in map(_parsed, reports[1:]):
        usage = merge_known(merged.usage, report.usage)
        merged = UsageReported(usage, merge_known(merged.openai_usage, report.openai_usage))
    _correct_total(merged.openai_usage)
    return merged


def _parsed(report: UsageReported) -> UsageReported:
    counts = report.openai_usage
    return UsageReported(report.usage, _decode_any(counts)) if isinstance(counts, Raw) else report


def _correct_total(counts: Any) -> None:
    """The total of a poorer report may lack what an earlier one counted."""
    if not isinstance(counts, dict):
        return
    total, prompt, completion = map(
        counts.get, ("total_tokens", "prompt_tokens", "completion_tokens")
    )
    if not (total is None or prompt is None or completion is None):
        counts["total_tokens"] = max(total, prompt + completion)


def _add_failed(response: ResponseAccumulator, event: Failed) -> None:
    response.failed = event.error


def _add_embeddings(response: ResponseAccumulator, event: EmbeddingsReceived) -> None:
    response.embeddings = event.embeddings


def _add_body(response: ResponseAccumulator, event: BodyReceived) -> None:
    response.body = event.body


def _add_nothing(response: ResponseAccumulator, event: Rewritten | PieceReceived) -> None:
    pass


def _add_done(response: ResponseAccumulator, event: StreamEnd) -> None:
    """What has its end mark is complete: some vendors send no finish reason."""
    response.done = True
    for index in response.choices:
        _infer_reason(response, index)


ADD_EVENT: dict[type, Callable[[ResponseAccumulator, Any], None]] = {
    Started: _add_started,
    Reasoning: _add_reasoning,
    ReasoningDetail: _add_detail,
    Refusal: _add_refusal,
    ToolStarted: _add_tool,
    ToolArguments: _add_arguments,
    Logprobs: _add_logprobs,
    ExtraFields: _add_extra,
    Finished: _add_finished,
    UsageReported: _add_usage,
    ServiceTierReported: _add_service_tier,
    Rewritten: _add_nothing,
    ModelReported: _add_model,
    Failed: _add_failed,
    StreamEnd: _add_done,
    EmbeddingsReceived: _add_embeddings,
    BodyReceived: _add_body,
    PieceReceived: _add_nothing,
}


def _function(tool: ToolCallAccumulator) -> dict[str, str]:
    return {"name": tool.name, "arguments": "".join(tool.arguments)}


def _call(tool: ToolCallAccumulator) -> dict[str, Any]:
    return {"id": tool.id, "type": "function", "function": _function(tool)}
