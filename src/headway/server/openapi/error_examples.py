"""The contract's table of errors as examples: each row is an error of ours, so that its status and
type are right by construction."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from headway import errors
from headway.server.openapi.examples import PROVIDER, Example

_REQUEST_ID = "0b0a4fd1-93b5-4c3e-9b1e-58f1f6b0c1de"


class Failure(Struct, frozen=True):
    """One row: when it happens, and the error that it is."""

    when: str
    error: errors.HeadwayError

    @property
    def example(self) -> Example:
        return Example(self.when, error_body(self.error))


def error_body(error: errors.HeadwayError) -> dict[str, Any]:
    """The error as every route shows it."""
    names = ("type", "message", "provider", "param", "code", "request_id", "retry_after_s")
    shown = {name: getattr(error, name) for name in names}
    return {"error": {**shown, "request_id": error.request_id or _REQUEST_ID}}


UNAUTHORIZED = Failure(
    "The gateway's own key is missing or wrong",
    errors.Unauthorized(
        "this gateway wants a key of its own: send it as `Authorization: Bearer <key>` or as "
        "`x-api-key: <key>`",
        code="missing_api_key",
    ),
)
UNKNOWN_PROVIDER = Failure(
    "The provider is not configured",
    errors.UnknownProvider(
        "No provider is called 'nobody'; configured are: local, openai.", param="provider"
    ),
)
NO_PROVIDER = Failure(
    "The provider is missing from the query",
    errors.InvalidField("`provider` is missing from the query.", param="provider"),
)

_CALLER = (
    Failure(
        "The body is not JSON, or not an object",
        errors.InvalidBody("The body must be a JSON object."),
    ),
    UNAUTHORIZED,
    Failure(
        "There is no key for the provider",
        errors.MissingProviderKey(
            "There is no key for openai: set OPENAI_API_KEY in the gateway's environment or "
            "providers.openai.api_key in its configuration, or send `api_key`.",
            provider=PROVIDER,
            param="api_key",
        ),
    ),
    UNKNOWN_PROVIDER,
    Failure(
        "The body is over the limit",
        errors.BodyTooLarge(
            "The body is larger than 10485760 bytes; server.body_limit sets how much is taken."
        ),
    ),
    Failure(
        "A field is missing or of the wrong type",
        errors.InvalidField("`model` must be a string.", param="model"),
    ),
    Failure(
        "A parameter is out of range",
        errors.InvalidField(
            "`temperature` must be a number from 0 to 2; it is 3.",
            provider=PROVIDER,
            param="temperature",
        ),
    ),
)
_PROVIDER = (
    Failure(
        "The provider refused the request",
        errors.UpstreamRejected(
            "Invalid value for 'messages'.",
            provider=PROVIDER,
            param="messages",
            code="invalid_value",
        ),
    ),
    Failure(
        "The provider refused the key",
        errors.UpstreamAuth(
            "Incorrect API key provided.", provider=PROVIDER, code="invalid_api_key"
        ),
    ),
    Failure(
        "The provider does not know the model",
        errors.UpstreamNotFound(
            "The model `gpt-0` does not exist.", provider=PROVIDER, code="model_not_found"
        ),
    ),
    Failure(
        "The provider refused the request as unprocessable",
        errors.UpstreamRejected("The messages must alternate.", provider=PROVIDER, status=422),
    ),
    Failure(
        "The provider's rate limit",
        errors.UpstreamRateLimited(
            "Rate limit reached.",
            provider=PROVIDER,
            code="rate_limit_exceeded",
            retry_after_s=2.0,
        ),
    ),
    Failure(
        "The account's quota is used up",
        errors.UpstreamQuota(
            "You exceeded your current quota.", provider=PROVIDER, code="insufficient_quota"
        ),
    ),
    Failure(
        "The provider failed",
        errors.UpstreamError(
            "The provider answered with status 500 and no message.", provider=PROVIDER
        ),
    ),
    Failure(
        "The provider could not be reached",
        errors.UpstreamUnreachable(
            "cannot reach api.openai.com: connection refused",
            provider=PROVIDER,
            code="unreachable",
        ),
    ),
    Failure(
        "The provider broke off",
        errors.UpstreamTruncated("openai ended its answer before it was whole.", provider=PROVIDER),
    ),
    Failure(
        "The provider's answer is not what its API promises",
        errors.UpstreamGarbled(
            "openai sent what its wire format does not allow.", provider=PROVIDER
        ),
    ),
    Failure(
        "The provider is overloaded",
        errors.UpstreamOverloaded("The server is overloaded.", provider=PROVIDER),
    ),
    Failure(
        "The provider did not answer in time",
        errors.UpstreamTimeout(
            "api.openai.com did not begin to answer within 300 s",
            provider=PROVIDER,
            code="first_byte_timeout",
        ),
    ),
)
_OURS = (
    Failure(
        "A defect of the gateway",
        errors.InternalError("The gateway failed on this request; see its log."),
    ),
    Failure("The gateway is shutting down", errors.ShuttingDown("The gateway is shutting down.")),
)

CHAT_FAILURES = (*_CALLER, *_PROVIDER, *_OURS)

BROKEN_STREAM = Failure(
    "A failure after the first event",
    errors.UpstreamTruncated(
        "openai ended its stream without finishing the answer.", provider=PROVIDER
    ),
).example
