"""OpenAI's parameters as those of Ollama's /api/chat (docs.ollama.com/api/chat; openai/openai.go is
Ollama's own translation of OpenAI's format).

A parameter in ``OPTIONS``, whose value needs no conversion, keeps OpenAI's name in ``adapt``: the
encoder moves it into ``options``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.providers.base import Adapted
from headway.providers.chat_messages import messages_of
from headway.providers.ollama.messages import UNSUPPORTED, convert_messages, unsupported_content
from headway.providers.ollama.reasoning import convert_reasoning
from headway.providers.ollama.tools import convert_tools
from headway.providers.request_draft import RequestDraft, convert_request
from headway.types import ChatRequest

UNSUPPORTED_PARAMETERS = (
    "audio", "logit_bias", "metadata", "modalities", "n", "prediction", "prompt_cache_key",
    "prompt_cache_retention", "safety_identifier", "service_tier", "store", "top_a", "user",
    "verbosity", "web_search_options",
)  # fmt: skip
DEFAULTS: Mapping[str, tuple[Any, ...]] = {
    "modalities": (["text"],),
    "n": (1,),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "verbosity": ("medium",),
}
"""Values that equal Ollama's default behaviour: removing them is no transformation."""
OPTIONS = {
    "max_completion_tokens": "num_predict",
    "frequency_penalty": "frequency_penalty",
    "max_tokens": "num_predict",
    "min_p": "min_p",
    "presence_penalty": "presence_penalty",
    "repetition_penalty": "repeat_penalty",
    "seed": "seed",
    "stop": "stop",
    "temperature": "temperature",
    "top_k": "top_k",
    "top_p": "top_p",
}
"""OpenAI's name to Ollama's, in ``options``."""
NATIVE_OPTIONS = (
    "draft_num_predict", "main_gpu", "mirostat", "mirostat_eta", "mirostat_tau", "num_batch",
    "num_ctx", "num_gpu", "num_keep", "num_predict", "num_thread", "penalize_newline",
    "repeat_last_n", "repeat_penalty", "tfs_z", "typical_p", "use_mmap",
)  # fmt: skip
"""Ollama's other options, which a client may give as parameters (api/types.go, Options)."""


def adapt(request: ChatRequest) -> Adapted:
    """The request as Ollama can take it, with the transformations. Raises RequestError for a
    request that is not in OpenAI's chat format, or holds content that Ollama cannot take."""
    return convert_request(request, STEPS)


def _check_messages(draft: RequestDraft) -> None:
    messages_of(draft.request)
    convert_messages(draft.request.messages)


def _drop_unsupported(draft: RequestDraft) -> None:
    draft.take("stream_options")  # handled by the gateway: usage is always reported
    draft.remove_defaults(DEFAULTS)
    for name in UNSUPPORTED_PARAMETERS:
        draft.drop(name, UNSUPPORTED)
    if "max_completion_tokens" in draft:
        draft.take("max_tokens")


def _note_renamed(draft: RequestDraft) -> None:
    stop = draft.value("stop")
    if isinstance(stop, str):
        draft.put("stop", [stop])
    for name, option in OPTIONS.items():
        if name in draft and name != option:
            draft.note_renamed(name, f"options.{option}")


def _note_unsupported_content(draft: RequestDraft) -> None:
    found = set(unsupported_content(draft.request.messages))
    draft.transformations += sorted(found, key=lambda each: (each.action, each.parameter))


STEPS = (
    _check_messages,
    _drop_unsupported,
    convert_tools,
    convert_reasoning,
    _note_renamed,
    _note_unsupported_content,
)
