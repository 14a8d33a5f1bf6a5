"""The errors that clients can meet. Each example is an instance of the error's class, so its status
and type are right by construction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from msgspec import Struct
from pydantic import BaseModel

from headway import errors
from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import OpenAIFormat
from headway.dialects.gemini.generate import GenerateContent
from headway.dialects.ollama.chat import OllamaChat
from headway.dialects.openai_responses.dialect import OpenAIResponses
from headway.pipeline.gateway import NO_RECORD
from headway.server.openapi.examples.base import PROVIDER, Example
from headway.server.openapi.schemas.anthropic import AnthropicErrorReply
from headway.server.openapi.schemas.base import ErrorReply
from headway.server.openapi.schemas.gemini import GeminiErrorReply
from headway.server.openapi.schemas.ollama import OllamaErrorReply

_REQUEST_ID = "0b0a4fd1-93b5-4c3e-9b1e-58f1f6b0c1de"


class ErrorEncoder(Protocol):
    """The part of a dialect that writes errors."""

    def encode_error(
        self, error: errors.HeadwayError, provider: str | None, request_id: str
    ) -> bytes:
        """The body."""

    def status_of(self, error: errors.HeadwayError) -> int:
        """The HTTP status."""


class ErrorFormat(Struct, frozen=True):
    """How the errors of some routes look."""

    model: type[BaseModel]
    encoder: ErrorEncoder

    def body(self, error: errors.HeadwayError) -> dict[str, Any]:
        request_id = error.request_id or _REQUEST_ID
        parsed = msgspec.json.decode(self.encoder.encode_error(error, error.provider, request_id))
        return dict(parsed)


PLAIN = ErrorFormat(ErrorReply, OpenAIFormat())


class ErrorExample(Struct, frozen=True):
    """When the error happens, and the error."""

    when: str
    error: errors.HeadwayError

    def example(self, error_format: ErrorFormat = PLAIN) -> Example:
        return Example(self.when, error_format.body(self.error))


def _examples(found: Mapping[str, errors.HeadwayError]) -> tuple[ErrorExample, ...]:
    return tuple(ErrorExample(when, error) for when, error in found.items())


def _from_provider(found: Mapping[str, errors.UpstreamError]) -> tuple[ErrorExample, ...]:
    for error in found.values():
        error.provider = PROVIDER
    return _examples(found)


UNAUTHORIZED = ErrorExample(
    "The gateway's own key is missing or wrong",
    errors.Unauthorized(
        "this gateway wants a key of its own: send it as `Authorization: Bearer <key>` or as "
        "`x-api-key: <key>`",
        code="missing_api_key",
    ),
)
UNKNOWN_PROVIDER = ErrorExample(
    "The provider is not configured",
    errors.UnknownProvider(
        "No provider is called 'nobody'; configured are: local, openai.", param="provider"
    ),
)
NO_NATIVE_API = ErrorExample(
    "The provider has no API of its own, or the path is none",
    errors.RequestError(
        "echo is part of the gateway and has no API to pass a path to.", param="provider"
    ),
)
NO_PROVIDER = ErrorExample(
    "The provider is missing from the query",
    errors.InvalidField("`provider` is missing from the query.", param="provider"),
)

WRONG_PAGE = ErrorExample(
    "The page is not a number",
    errors.InvalidField("`pageSize` must be a number.", param="pageSize"),
)
_CALLER_ERRORS = (
    UNAUTHORIZED,
    UNKNOWN_PROVIDER,
    *_examples(
        {
            "The body is not JSON, or not an object": errors.InvalidBody(
                "The body must be a JSON object."
            ),
            "There is no key for the provider": errors.MissingProviderKey(
                "There is no key for openai: set OPENAI_API_KEY in the gateway's environment or "
                "providers.openai.api_key in its configuration, or send `api_key`.",
                provider=PROVIDER,
                param="api_key",
            ),
            "The body is over the limit": errors.BodyTooLarge(
                "The body is larger than 10485760 bytes; server.body_limit sets how much is taken."
            ),
            "A field is missing or of the wrong type": errors.InvalidField(
                "`model` must be a string.", param="model"
            ),
        }
    ),
)
_ENGINE_ERRORS = (
    *_CALLER_ERRORS,
    *_examples(
        {
            "The server calls configured addresses only": errors.Forbidden(
                "This gateway calls configured addresses only: leave out `base_url`, or let its "
                "operator set server.allow_base_url, or server.base_url_keys for your key.",
                param="base_url",
            ),
            "A parameter is out of range": errors.InvalidField(
                "`temperature` must be a number from 0 to 2; it is 3.",
                provider=PROVIDER,
                param="temperature",
            ),
        }
    ),
)
_PROVIDER_ERRORS = _from_provider(
    {
        "The provider refused the request": errors.UpstreamRejected(
            "Invalid value for 'messages'.", param="messages", code="invalid_value"
        ),
        "The provider refused the key": errors.UpstreamAuth(
            "Incorrect API key provided.", code="invalid_api_key"
        ),
        "The provider does not know the model": errors.UpstreamNotFound(
            "The model `gpt-0` does not exist.", code="model_not_found"
        ),
        "The provider refused the request as unprocessable": errors.UpstreamRejected(
            "The messages must alternate.", status=422
        ),
        "The provider's rate limit": errors.UpstreamRateLimited(
            "Rate limit reached.", code="rate_limit_exceeded", retry_after_s=2.0
        ),
        "The account's quota is used up": errors.UpstreamQuota(
            "You exceeded your current quota.", code="insufficient_quota"
        ),
        "The provider failed": errors.UpstreamError(
            "The provider answered with status 500 and no message."
        ),
        "The provider could not be reached": errors.UpstreamUnreachable(
            "cannot reach api.openai.com: connection refused", code="unreachable"
        ),
        "The provider broke off": errors.UpstreamTruncated(
            "openai ended its answer before it was whole."
        ),
        "The provider's answer is not what its API promises": errors.UpstreamGarbled(
            "openai sent what its wire format does not allow."
        ),
        "The provider is a gateway that the request came through already": errors.UpstreamLoop(
            "This request came back to the gateway that sent it: the address of its provider leads "
            "to the gateway itself. Set the provider's `base_url`."
        ),
        "The provider is overloaded": errors.UpstreamOverloaded("The server is overloaded."),
        "The provider did not answer in time": errors.UpstreamTimeout(
            "api.openai.com did not begin to answer within 300 s", code="first_byte_timeout"
        ),
    }
)
_GATEWAY_ERRORS = _examples(
    {
        "A defect of the gateway": errors.InternalError(
            "The gateway failed on this request; see its log."
        ),
        "The gateway can keep no record": errors.LedgerUnavailable(NO_RECORD, retry_after_s=5.0),
        "The gateway is shutting down": errors.ShuttingDown("The gateway is shutting down."),
    }
)

ENGINE_ERRORS = (*_ENGINE_ERRORS, *_PROVIDER_ERRORS, *_GATEWAY_ERRORS)
OPENAI_ERRORS = (*_CALLER_ERRORS, *_PROVIDER_ERRORS, *_GATEWAY_ERRORS)
"""Of the routes on which the provider checks the parameters."""
COUNTED_BY = """\
A provider that counts is asked, within two seconds: Anthropic, Google, Vertex AI, Bedrock for \
Claude, and OpenAI's Responses API, whatever the format of the request. Any other count is the \
gateway's own, with the tokenizer of the model's family, without images. Nothing is billed or \
recorded."""
COUNT_HEADERS = {
    "x-headway-tokens-source": {
        "description": "`reported` by the provider, `counted` by the gateway, or `estimated` by "
        "the length, where a count would have taken too long.",
        "schema": {"type": "string", "enum": ["reported", "counted", "estimated"]},
    },
}
"""Of the routes that count tokens."""
COUNT_ERRORS = tuple(
    each
    for each in _CALLER_ERRORS
    if not isinstance(each.error, errors.MissingProviderKey | errors.UnknownProvider)
)
"""Of routes that ask no provider."""

_STREAM_ERROR = ErrorExample(
    "A failure after the first event",
    errors.UpstreamTruncated(
        "openai ended its stream without finishing the answer.", provider=PROVIDER
    ),
)
STREAM_ERROR = _STREAM_ERROR.example()
RESPONSES = ErrorFormat(ErrorReply, OpenAIResponses())
ANTHROPIC = ErrorFormat(AnthropicErrorReply, AnthropicMessages())
ANTHROPIC_STREAM_ERROR = _STREAM_ERROR.example(ANTHROPIC)
GEMINI = ErrorFormat(GeminiErrorReply, GenerateContent())
GEMINI_STREAM_ERROR = _STREAM_ERROR.example(GEMINI)
OLLAMA = ErrorFormat(OllamaErrorReply, OllamaChat())
OLLAMA_STREAM_ERROR = _STREAM_ERROR.example(OLLAMA)
