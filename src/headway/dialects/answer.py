"""Fold the events of one answer into the whole that they make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headway.types import (
    CONTENT,
    Embeddings,
    EmbeddingsReceived,
    Event,
    ExtraFields,
    Failed,
    Finished,
    Logprobs,
    Reasoning,
    ReasoningDetail,
    Refusal,
    Started,
    StreamEnd,
    Summary,
    Text,
    ToolArguments,
    ToolStarted,
    Usage,
    UsageReported,
)

UNKNOWN = Usage()
NOT_STARTED = Started()


class Tool:
    """One tool call as it grows."""

    __slots__ = ("arguments", "id", "legacy", "name")

    def __init__(self, id: str, name: str, legacy: bool) -> None:  # noqa: A002
        self.id = id
        self.name = name
        self.legacy = legacy
        self.arguments: list[str] = []


class Choice:
    """One choice as it grows."""

    __slots__ = ("extra", "finish_reason", "logprobs", "reasoning", "refusal", "text", "tools")

    def __init__(self) -> None:
        self.text: list[str] = []
        self.reasoning: list[str] = []
        self.refusal: list[str] = []
        self.tools: dict[int, Tool] = {}
        self.logprobs: dict[str, Any] | None = None
        self.extra: dict[str, Any] = {}
        self.finish_reason: str | None = None

    def said(self) -> str:
        """The text, joined the first time."""
        text = self.text
        if len(text) > 1:
            text[:] = ["".join(text)]
        return text[0] if text else ""

    def message(self) -> dict[str, Any]:
        """The message in OpenAI's shape: the contract's four keys, then what else there was."""
        text, calls, legacy = self.said(), None, None
        if self.tools:
            calls = [_call(tool) for tool in self.tools.values() if not tool.legacy]
            legacy = [_function(tool) for tool in self.tools.values() if tool.legacy]
        silent = self.tools or self.refusal
        message: dict[str, Any] = {
            "content": None if not text and silent else text,
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
        """What the model said: its text, or for a tool call the arguments."""
        if text := self.said():
            return text
        if self.tools:
            return "\n".join("".join(tool.arguments) for tool in self.tools.values())
        return "".join(self.refusal)


class Answer:
    """All choices of one answer, with what the provider said of itself."""

    __slots__ = ("choices", "done", "embeddings", "failed", "started", "usage")

    def __init__(self) -> None:
        self.choices: dict[int, Choice] = {}
        self.started: Started | None = None
        self.usage: UsageReported | None = None
        self.embeddings: Embeddings | None = None
        self.failed: Exception | None = None
        self.done = False

    def add(self, events: list[Event]) -> bool:
        """Whether there is content among them."""
        has_content = False
        for event in events:
            if type(event) is Text:  # nearly all are, of a choice that is there
                choice = self.choices.get(event.index)
                (choice or self.choice(event.index)).text.append(event.text)
                has_content = True
            else:
                ADD[type(event)](self, event)
                has_content = has_content or type(event) in CONTENT
        return has_content

    def choice(self, index: int) -> Choice:
        found = self.choices.get(index)
        if found is None:
            found = self.choices[index] = Choice()
        return found

    @property
    def finish_reason(self) -> str | None:
        """The first choice's."""
        first = self.choices.get(0)
        return None if first is None else first.finish_reason

    @property
    def is_finished(self) -> bool:
        """Every choice has its finish. An end mark alone is not one: a provider that fails in the
        middle may well write it."""
        for choice in self.choices.values():
            if not choice.finish_reason:
                return False
        return bool(self.choices)

    def output(self) -> str:
        first = self.choices.get(0)
        return "" if first is None else first.output()

    def produced(self) -> str:
        """Every piece of text that the model made, to be counted where usage is not reported."""
        pieces: list[str] = []
        for choice in self.choices.values():
            pieces += [*choice.reasoning, *choice.text, *choice.refusal]
            for tool in choice.tools.values():
                pieces += [tool.name, *tool.arguments]
        return "".join(pieces)

    def reported(self) -> Usage:
        return UNKNOWN if self.usage is None else self.usage.usage

    def summary(self) -> Summary:
        started = self.started or NOT_STARTED
        return Summary(self.reported(), self.finish_reason, started.model, started.service_tier)


def _add_started(answer: Answer, event: Started) -> None:
    answer.started = event


def _add_reasoning(answer: Answer, event: Reasoning) -> None:
    answer.choice(event.index).reasoning.append(event.text)


def _add_detail(answer: Answer, event: ReasoningDetail) -> None:
    extra = answer.choice(event.index).extra
    extra["reasoning_details"] = [*extra.get("reasoning_details", ()), event.value]


def _add_refusal(answer: Answer, event: Refusal) -> None:
    answer.choice(event.index).refusal.append(event.text)


def _add_tool(answer: Answer, event: ToolStarted) -> None:
    tool = Tool(event.id, event.name, event.legacy)
    answer.choice(event.index).tools[event.tool] = tool


def _add_arguments(answer: Answer, event: ToolArguments) -> None:
    tools = answer.choice(event.index).tools
    if event.tool not in tools:
        tools[event.tool] = Tool("", "", event.legacy)
    tools[event.tool].arguments.append(event.text)


def _add_logprobs(answer: Answer, event: Logprobs) -> None:
    """Each piece brings a list of tokens; the whole has them all."""
    choice = answer.choice(event.index)
    if choice.logprobs is None:
        choice.logprobs = {}
    for name, value in event.value.items():
        if not isinstance(value, list):
            choice.logprobs.setdefault(name, value)
        elif isinstance(grown := choice.logprobs.get(name), list):
            grown += value
        else:
            choice.logprobs[name] = list(value)


def _add_extra(answer: Answer, event: ExtraFields) -> None:
    extra = answer.choice(event.index).extra
    for name, value in event.fields.items():
        if isinstance(value, list):
            extra[name] = [*extra.get(name, ()), *value]
        elif isinstance(value, dict):
            extra[name] = _merged(extra.get(name) or {}, value)
        else:
            extra[name] = value


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Audio comes as pieces of base64 and of transcript under the same names, with one id."""
    grown = dict(old)
    for name, value in new.items():
        joins = name in ("data", "transcript") and isinstance(old.get(name), str)
        grown[name] = old[name] + value if joins else value
    return grown


def _add_finished(answer: Answer, event: Finished) -> None:
    answer.choice(event.index).finish_reason = event.reason


def _add_usage(answer: Answer, event: UsageReported) -> None:
    answer.usage = event


def _add_failed(answer: Answer, event: Failed) -> None:
    answer.failed = event.error


def _add_embedded(answer: Answer, event: EmbeddingsReceived) -> None:
    answer.embeddings = event.embeddings


def _add_done(answer: Answer, event: StreamEnd) -> None:
    answer.done = True


ADD: dict[type, Callable[[Answer, Any], None]] = {
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
    Failed: _add_failed,
    StreamEnd: _add_done,
    EmbeddingsReceived: _add_embedded,
}


def _function(tool: Tool) -> dict[str, str]:
    return {"name": tool.name, "arguments": "".join(tool.arguments)}


def _call(tool: Tool) -> dict[str, Any]:
    return {"id": tool.id, "type": "function", "function": _function(tool)}
