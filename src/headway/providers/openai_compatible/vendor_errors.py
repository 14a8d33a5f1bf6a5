"""What vendors mean by their statuses and codes, where it is not what OpenAI means by them.

Sources: console.groq.com/docs/errors and flex-processing; recordings of DeepSeek's and OpenRouter's
answers (headers); openrouter.ai/docs, Errors; docs.fireworks.ai/guides/inference-error-codes;
docs.together.ai/docs/error-codes; platform.kimi.ai/docs/api/errors;
docs.z.ai/api-reference/api-code; help.aliyun.com/en/model-studio/error-code-start.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from headway.errors import (
    UpstreamAuth,
    UpstreamError,
    UpstreamNotFound,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRateLimited,
    UpstreamRejected,
)
from headway.providers.openai_compatible.errors import decoder
from headway.providers.openai_compatible.response_transforms import UNREADABLE, decode_routed_error
from headway.types import Headers

GROQ = decoder(classes={"498": UpstreamOverloaded})
"""498 is the flex tier's lack of capacity, to be tried again."""
DEEPSEEK = decoder(request_id=b"x-ds-trace-id")
FIREWORKS = decoder(classes={"412": UpstreamQuota})
"""412 is an account that is suspended."""
TOGETHER = decoder(classes={"403": UpstreamRejected})
"""403 is a prompt and ``max_tokens`` that are longer than the context."""
MOONSHOT = decoder(
    classes={
        "engine_overloaded_error": UpstreamOverloaded,
        "exceeded_current_quota_error": UpstreamQuota,
        "resource_not_found_error": UpstreamNotFound,
    }
)
"""The first two are a 429 as going too fast is."""
ZAI = decoder(
    classes={
        **dict.fromkeys(("1110", "1111", "1112", "1121", "1220"), UpstreamAuth),
        **dict.fromkeys(("1113", "1304", "1308", "1309", "1310"), UpstreamQuota),
        **dict.fromkeys(("1211", "1212", "1221", "1222"), UpstreamNotFound),
        "1301": UpstreamRejected,
        "1305": UpstreamOverloaded,
    }
)
"""Its codes say what its statuses do not: 429 is an empty account, too, and one that is locked."""
DASHSCOPE = decoder(
    classes={
        "AllocationQuota.FreeTierOnly": UpstreamQuota,
        "Arrearage": UpstreamQuota,
        "insufficient_quota": UpstreamRateLimited,
    }
)
"""OpenAI's word for an empty account is a minute's tokens used up there; an empty one is a 400."""


class Metadata(Struct):
    provider_name: str | None = None
    reasons: list[str] | None = None


class Blamed(Struct):
    metadata: Metadata | None = None


class Body(Struct):
    error: Blamed | None = None


_body = msgspec.json.Decoder(Body).decode


def decode_openrouter(status: int, headers: Headers, body: bytes) -> UpstreamError:
    """A 403 that names a provider, or reasons of moderation, is about the prompt: the key is good.
    Without them it is a key that has reached its limit."""
    error = decode_routed_error(status, headers, body)
    found = dict(headers).get(b"x-generation-id")
    if error.request_id is None and found is not None:
        error.request_id = found.decode("latin-1")
    if status != 403 or not _is_about_the_prompt(body):
        return error
    return UpstreamRejected(error.message, code=error.code, request_id=error.request_id)


def _is_about_the_prompt(body: bytes) -> bool:
    try:
        blamed = _body(body).error
    except UNREADABLE:
        return False
    metadata = None if blamed is None else blamed.metadata
    return metadata is not None and bool(metadata.provider_name or metadata.reasons)
