"""Parameters of OpenAI's chat completions as those of the Responses API
(platform.openai.com/docs/guides/migrate-to-responses). Messages stay chat's: the encoder converts
them."""

from __future__ import annotations

from typing import Any

from headway.providers.base import Adapted
from headway.providers.openai import parameters as openai_parameters
from headway.providers.openai_responses.reasoning import convert_reasoning
from headway.providers.openai_responses.tools import (
    convert_response_format,
    convert_tool,
    convert_tool_choice,
    web_search_tool,
)
from headway.providers.openai_responses.unsupported_content import (
    AUTOMATIC_CACHING,
    UNSUPPORTED,
    unsupported_content,
)
from headway.providers.request_draft import RequestDraft, convert_request
from headway.types import NO_RAW, ChatRequest

UNSUPPORTED_PARAMETERS = frozenset(
    (
        "audio", "frequency_penalty", "logit_bias", "min_p", "modalities", "n", "prediction",
        "presence_penalty", "repetition_penalty", "seed", "stop", "top_k",
    )
)  # fmt: skip
DEFAULTS: dict[str, tuple[Any, ...]] = {
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "repetition_penalty": (1,),
    "min_p": (0,),
    "logit_bias": ({},),
    "n": (1,),
    "stop": ([],),
    "logprobs": (False,),
    "modalities": (["text"],),
}
"""Values that equal the default behaviour."""
MIN_OUTPUT_TOKENS = 16
"""The API rejects a smaller ``max_output_tokens`` (integer_below_min_value)."""
LOGPROBS = "message.output_text.logprobs"


def adapt(request: ChatRequest) -> Adapted:
    """Raises RequestError for a request that is not in OpenAI's chat format."""
    return convert_request(request, STEPS)


def drop_unsupported(draft: RequestDraft) -> None:
    """Drop what has no equivalent in the Responses API."""
    draft.remove_defaults(DEFAULTS)
    for name in [name for name in draft.parameters if name in UNSUPPORTED_PARAMETERS]:
        draft.drop(name, UNSUPPORTED)


def _convert_tools(draft: RequestDraft) -> None:
    tools, functions = draft.take("tools"), draft.take("functions")
    if functions is not None:
        tools = [*(tools or ()), *({"type": "function", "function": f} for f in functions)]
        draft.note_renamed("functions", "tools")
    if tools is None:
        return
    if any("cache_control" in tool for tool in tools):
        draft.note_dropped("tools[].cache_control", AUTOMATIC_CACHING)
    draft.put("tools", [convert_tool(tool) for tool in tools])


def _convert_tool_choice(draft: RequestDraft) -> None:
    choice, call = draft.take("tool_choice"), draft.take("function_call")
    if call is not None:
        choice = {"type": "function", "function": call} if isinstance(call, dict) else call
        draft.note_renamed("function_call", "tool_choice")
    if choice is not None:
        draft.put("tool_choice", convert_tool_choice(choice))


def _convert_web_search(draft: RequestDraft) -> None:
    options = draft.take("web_search_options")
    if options is not None:
        _append(draft, "tools", web_search_tool(options))
        draft.note_emulated("web_search_options", "as a web_search tool")


def _convert_response_format(draft: RequestDraft) -> None:
    response_format, verbosity = draft.take("response_format"), draft.take("verbosity")
    if response_format is not None and response_format.get("type") != "text":
        _merge(draft, "text", {"format": convert_response_format(response_format)})
    if verbosity is not None:
        _merge(draft, "text", {"verbosity": verbosity})


def _convert_token_limit(draft: RequestDraft) -> None:
    old, limit = draft.take("max_tokens"), draft.take("max_completion_tokens")
    name = "max_tokens" if limit is None else "max_completion_tokens"
    limit = old if limit is None else limit
    if limit is None:
        return
    draft.note_renamed(name, "max_output_tokens")
    if isinstance(limit, int) and limit < MIN_OUTPUT_TOKENS:
        draft.note_clamped(name, limit, MIN_OUTPUT_TOKENS, "minimum")
        limit = MIN_OUTPUT_TOKENS
    if "max_output_tokens" not in draft:
        draft.put("max_output_tokens", limit)


def _adapt_sampling(draft: RequestDraft) -> None:
    """Apply the rules that chat completions have for OpenAI's models."""
    request = ChatRequest(model=draft.model, messages=NO_RAW, parameters=draft.parameters)
    adapted, transformations = openai_parameters.adapt(request)
    draft.parameters = dict(adapted.parameters)
    draft.transformations += transformations


def _convert_logprobs(draft: RequestDraft) -> None:
    """``top_logprobs`` keeps its name; the log probabilities are to be included by name."""
    if draft.take("logprobs"):
        _append(draft, "include", LOGPROBS)


def _convert_stream_options(draft: RequestDraft) -> None:
    """The API always sends usage; it takes ``include_obfuscation`` like chat completions."""
    options = draft.take("stream_options") or {}
    options.pop("include_usage", None)
    if options:
        draft.put("stream_options", options)


def _drop_background(draft: RequestDraft) -> None:
    if not draft.request.stream and draft.take("background"):
        draft.note_dropped("background", "the gateway waits for the response")


def _note_unsupported_content(draft: RequestDraft) -> None:
    draft.transformations += unsupported_content(draft.request.messages)


def _merge(draft: RequestDraft, name: str, fields: dict[str, Any]) -> None:
    """Add fields to an object, except those that the client gave."""
    draft.put(name, {**fields, **(draft.take(name) or {})})


def _append(draft: RequestDraft, name: str, value: Any) -> None:
    """Add a value to a list that lacks it."""
    given = draft.take(name) or []
    draft.put(name, given if value in given else [*given, value])


STEPS = (
    drop_unsupported,
    _convert_tools,
    _convert_tool_choice,
    _convert_web_search,
    _convert_response_format,
    _convert_token_limit,
    _adapt_sampling,
    convert_reasoning,
    _convert_logprobs,
    _convert_stream_options,
    _drop_background,
    _note_unsupported_content,
)
