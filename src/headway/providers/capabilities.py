"""The capabilities of providers, and what each means: the columns of docs/providers.md."""

from __future__ import annotations

from collections.abc import Mapping

CAPABILITIES: dict[str, str] = {
    "stream": "answers as a stream",
    "tools": "tool calls, parallel and streamed",
    "tool_choice": "a tool can be required, forbidden or named",
    "images": "images in the prompt, as URL or data",
    "documents": "documents in the prompt",
    "audio": "audio in the prompt",
    "json_object": "answers in JSON",
    "json_schema": "answers that follow a JSON schema",
    "reasoning": "reasoning, with effort or budget in and its text out",
    "reasoning_replay": "signed or encrypted reasoning out, and back in on the next turn",
    "caching": "prompt caching markers in, read and write counts out",
    "citations": "citations or grounding out",
    "logprobs": "log probabilities of the tokens",
    "embeddings": "embeddings",
}


def native(*names: str) -> dict[str, str]:
    """The capabilities ``names``, each native without limits."""
    return dict.fromkeys(names, "native")


PARAMETERS: dict[str, tuple[str, ...]] = {
    "tools": ("tools", "functions", "tool_choice", "function_call", "parallel_tool_calls"),
    "tool_choice": ("tool_choice", "function_call"),
    "reasoning": ("reasoning_effort", "reasoning"),
    "logprobs": ("logprobs", "top_logprobs"),
}
"""Capability -> the parameters that ask for it."""


def unsupported_parameters(capabilities: Mapping[str, str]) -> tuple[str, ...]:
    """The parameters that ask for what a provider with these capabilities lacks."""
    missing = [names for name, names in PARAMETERS.items() if name not in capabilities]
    return tuple(dict.fromkeys(name for names in missing for name in names))


def is_missing(name: str, capabilities: Mapping[str, str]) -> bool:
    """Whether a provider with these capabilities lacks one. With none at all they are unknown."""
    return bool(capabilities) and name not in capabilities


def is_emulated(name: str, capabilities: Mapping[str, str]) -> bool:
    """Whether the adapter makes up for what models lack."""
    return capabilities.get(name, "").startswith("emulated")
