"""Messages, choices and usage in OpenAI's chat format, which the engine's routes use too."""

from __future__ import annotations

from typing import Any, Literal

from headway.server.openapi.schemas.base import OpenShape, Shape


class FunctionCall(Shape):
    name: str
    """The function that the model wants called."""
    arguments: str
    """JSON text as the model wrote it; it may be invalid JSON."""


class ToolCall(OpenShape):
    id: str
    type: str = "function"
    function: FunctionCall


class Message(OpenShape):
    """One message in OpenAI's chat format; fields not named here go to the provider as they are."""

    role: str
    """`system`, `developer`, `user`, `assistant`, `tool` or `function`."""
    content: str | list[dict[str, Any]] | None = None
    """Text, or a list of parts (`text`, `image_url`, ...). Null beside `tool_calls`."""
    name: str | None = None
    """Distinguishes participants with the same role."""
    tool_calls: list[ToolCall] | None = None
    """Tool calls of the assistant in an earlier turn."""
    tool_call_id: str | None = None
    """In a message of role `tool`: the call that it answers."""


class AnswerMessage(OpenShape):
    """The message of an answer. `reasoning_content`, `refusal` and the provider's further fields
    follow these four."""

    content: str | None
    """The text of the answer; null when the model only called tools."""
    role: Literal["assistant"]
    function_call: FunctionCall | None
    """OpenAI's deprecated form of a tool call."""
    tool_calls: list[ToolCall] | None


class Choice(Shape):
    finish_reason: str | None
    """`stop`, `length`, `tool_calls`, `function_call` or `content_filter`."""
    index: int
    logprobs: dict[str, Any] | None
    """OpenAI's logprobs object, if the request asked for it and the provider sent it."""
    message: AnswerMessage


class FunctionCallDelta(Shape):
    name: str | None = None
    arguments: str | None = None


class ToolCallDelta(OpenShape):
    index: int
    """The position of the call among the calls of this choice; pieces of one call share it."""
    id: str | None = None
    type: str | None = None
    function: FunctionCallDelta | None = None


class Delta(OpenShape):
    """What this event adds to the message."""

    role: str | None = None
    content: str | None = None
    function_call: FunctionCallDelta | None = None
    tool_calls: list[ToolCallDelta] | None = None


class ChunkChoice(Shape):
    index: int
    delta: Delta
    logprobs: dict[str, Any] | None = None
    finish_reason: str | None = None
    """Null until the choice ends."""


class Usage(OpenShape):
    """What the provider reported, in OpenAI's shape. Unit: tokens."""

    prompt_tokens: int
    """Tokens of the input, cached ones included."""
    completion_tokens: int
    """Tokens of the output, reasoning included."""
    total_tokens: int
    prompt_tokens_details: dict[str, Any] | None = None
    """`cached_tokens`, `audio_tokens`."""
    completion_tokens_details: dict[str, Any] | None = None
    """`reasoning_tokens`, `audio_tokens`."""
