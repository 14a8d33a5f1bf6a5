"""The errors of the gateway. Each has an HTTP status, a stable type, and says whether a retry could
succeed. Each dialect encodes them in one place.

``message`` is sent to the client: it names the field and the remedy, and never contains a key.
"""

from __future__ import annotations


class HeadwayError(Exception):
    """The base class. ``type`` is stable and has few values, so that it can be a metric's label."""

    status = 500
    type = "internal_error"
    retryable = False

    def __init__(
        self,
        message: str,
        *,
        provider: str | None = None,
        param: str | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.provider = provider
        self.param = param
        self.code = code
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        if status is not None:
            self.status = status
        self.details: str | None = None
        """A JSON object that clients of one wire format act on: Anthropic's ``error.details``."""


class InternalError(HeadwayError):
    """A defect in the gateway. The message contains no details: those are in the log."""


# --- Errors in the client's request ---------------------------------------------------------------


class RequestError(HeadwayError):
    """The client's request is wrong, and a retry would not help."""

    status = 400
    type = "invalid_request_error"


class InvalidBody(RequestError):
    """The body is not JSON, or not an object."""


def unsupported_thread() -> RequestError:
    """For ``thread``: a conversation that the provider is to keep, of which a request has only the
    new messages. Clients that know the code send the whole conversation instead
    (anthropic-sdk-python, types/thread_unsupported_request_error.py)."""
    message = (
        "`thread` is not supported here: send the whole conversation as `messages`, without it."
    )
    code = "thread_unsupported_request"
    error = RequestError(message, param="thread", code=code)
    error.details = f'{{"error_code":"{code}","unsupported":[]}}'
    return error


class InvalidField(RequestError):
    """A field is missing, of the wrong type, or out of range; ``param`` names it."""

    status = 422


class MissingProvider(InvalidField):
    """The name of a model lacks the name of its provider."""

    model = ""
    """What the client sent."""


class AmbiguousModel(InvalidField):
    """Several providers have a model of the name that the client sent."""


class BodyTooLarge(RequestError):
    status = 413


class UnsupportedEncoding(RequestError):
    """The request's content coding cannot be decoded (RFC 9110, section 15.5.16)."""

    status = 415


class UnknownProvider(RequestError):
    status = 404
    type = "not_found_error"


class MissingProviderKey(RequestError):
    """Neither the request nor the configuration has a key for a provider that needs one."""

    status = 401
    type = "authentication_error"


class Unauthorized(RequestError):
    """The gateway key is missing or wrong."""

    status = 401
    type = "authentication_error"


class Forbidden(RequestError):
    """This client may not do that on this gateway."""

    status = 403
    type = "permission_error"


class LoopDetected(RequestError):
    """The request came back to the gateway that sent it (RFC 5842, section 7.2)."""

    status = 508
    type = "loop_detected"


class ShuttingDown(HeadwayError):
    status = 503
    type = "shutting_down"


class LedgerUnavailable(HeadwayError):
    """The gateway can keep no record at the moment, or cannot read those that it has; the message
    says what to do."""

    status = 503
    type = "ledger_unavailable"


# --- Errors of the provider -----------------------------------------------------------------------


class UpstreamError(HeadwayError):
    """The provider failed, could not be reached, or refused."""

    status = 502
    type = "provider_error"
    retryable = True


class UpstreamAuth(UpstreamError):
    """The provider refused the key."""

    status = 401
    type = "authentication_error"
    retryable = False


class UpstreamForbidden(UpstreamAuth):
    """The key may not do this, such as use the model, but perhaps other things."""


class UpstreamNotFound(UpstreamError):
    """The provider does not know the model."""

    status = 404
    type = "not_found_error"
    retryable = False


class UpstreamRejected(UpstreamError):
    """The provider refused the request; the status is the provider's, 400 or 422."""

    status = 400
    type = "invalid_request_error"
    retryable = False


class UpstreamContextWindow(UpstreamRejected):
    """The request is longer than the context of the model."""


class UpstreamContentPolicy(UpstreamRejected):
    """The provider refused the content of the request, or of the answer."""


class UpstreamUnsupported(UpstreamRejected):
    """The model lacks something that the request needs, such as tools or images."""


class UpstreamConflict(UpstreamError):
    """Another request of the same account is in the way; a retry may succeed, as the SDKs of
    OpenAI and Anthropic assume (openai-python, ``_base_client.py``: "lock timeouts")."""

    status = 409


class UpstreamRateLimited(UpstreamError):
    """The provider limits the rate of requests."""

    status = 429
    type = "rate_limit_error"


class UpstreamQuota(UpstreamRateLimited):
    """The account's quota is used up: a 429 that no retry can avoid."""

    type = "insufficient_quota"
    retryable = False


class UpstreamLoop(UpstreamError):
    """The provider is a gateway that the request has come through already."""

    status = 508
    type = "loop_detected"
    retryable = False


class UpstreamOverloaded(UpstreamError):
    """The provider is overloaded at the moment."""

    status = 503
    type = "overloaded_error"


class UpstreamUnreachable(UpstreamError):
    """Name resolution, connection or TLS failed: nothing was sent."""

    type = "connection_error"


class UpstreamDisconnected(UpstreamError):
    """The connection broke after the request was sent and before the response was complete."""

    type = "connection_error"


class UpstreamGarbled(UpstreamError):
    """The response is not in the provider's wire format, or not HTTP."""

    type = "protocol_error"


class UpstreamTruncated(UpstreamError):
    """The stream ended without a finish reason or end mark: an error, not a short response."""

    type = "truncated_stream"


class UpstreamTimeout(UpstreamError):
    """``code`` is connect_timeout, first_byte_timeout, idle_timeout or total_timeout."""

    status = 504
    type = "timeout_error"


class LimitExceeded(UpstreamTimeout):
    """The gateway ended the attempt, because it did not keep a limit of its route, or the caller's
    deadline was over. ``code`` is first_token_timeout, idle_timeout, too_slow or
    deadline_exceeded."""


class NoTarget(RequestError):
    """No target of the route can take the request; the message says why, for each of them."""


class ClientGone(HeadwayError):
    """The client disconnected before the end. Only the record shows this error."""

    status = 499
    type = "client_closed_request"


class HedgeLost(HeadwayError):
    """Another attempt beside this one answered first. Only the record shows this error."""

    status = 499
    type = "hedge_lost"


class NotFound(RequestError):
    """No such route."""

    status = 404
    type = "not_found_error"


class NotAllowed(RequestError):
    """The route does not take this method."""

    status = 405
    methods: tuple[str, ...] = ()
    """The allowed methods, for the reply's ``Allow`` header (RFC 9110, section 15.5.6)."""
