"""One tree of errors. Each carries the HTTP status it becomes, its stable type, and whether another
attempt could help; the dialects turn it into the client's shape, in one place each.

``message`` goes to the caller: it names the field and the remedy and never holds a key.
"""

from __future__ import annotations


class HeadwayError(Exception):
    """The root. ``type`` is stable and low in cardinality, fit for a metric's label."""

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


class InternalError(HeadwayError):
    """A defect of ours. The message says so and holds no details: those are in the log."""


# --- The caller's fault -------------------------------------------------------------------------


class RequestError(HeadwayError):
    """The client's request is wrong, and a retry would not help."""

    status = 400
    type = "invalid_request_error"


class InvalidBody(RequestError):
    """The body is not JSON, or not an object."""


class InvalidField(RequestError):
    """A field is missing, of the wrong type, or out of range; ``param`` names it."""

    status = 422


class BodyTooLarge(RequestError):
    status = 413


class UnknownProvider(RequestError):
    status = 404
    type = "not_found_error"


class MissingProviderKey(RequestError):
    """No key for a provider that needs one."""

    status = 401
    type = "authentication_error"


class Unauthorized(RequestError):
    """The gateway's own key is missing or wrong."""

    status = 401
    type = "authentication_error"


class ShuttingDown(HeadwayError):
    status = 503
    type = "shutting_down"


# --- The provider's answer, or the lack of one ----------------------------------------------------


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


class UpstreamNotFound(UpstreamError):
    """The provider does not know the model."""

    status = 404
    type = "not_found_error"
    retryable = False


class UpstreamRejected(UpstreamError):
    """The provider refused the request: 400 or 422, as it said."""

    status = 400
    type = "invalid_request_error"
    retryable = False


class UpstreamRateLimited(UpstreamError):
    """The provider limits the rate of requests."""

    status = 429
    type = "rate_limit_error"


class UpstreamQuota(UpstreamRateLimited):
    """A 429 that waiting does not mend: the account's quota is used up."""

    type = "insufficient_quota"
    retryable = False


class UpstreamOverloaded(UpstreamError):
    """The provider is overloaded at the moment."""

    status = 503
    type = "overloaded_error"


class UpstreamUnreachable(UpstreamError):
    """Name resolution, connection or TLS failed: nothing was sent."""

    type = "connection_error"


class UpstreamDisconnected(UpstreamError):
    """The connection broke after the request was sent and before the answer was whole."""

    type = "connection_error"


class UpstreamGarbled(UpstreamError):
    """What arrived is not the provider's wire format, or not HTTP."""

    type = "protocol_error"


class UpstreamTruncated(UpstreamError):
    """The stream ended without its finish: an error, not a short answer."""

    type = "truncated_stream"


class UpstreamTimeout(UpstreamError):
    """``code`` names which: connect_timeout, first_byte_timeout, idle_timeout, total_timeout."""

    status = 504
    type = "timeout_error"


class ClientGone(HeadwayError):
    """The caller left before the end. Nobody reads this; the record does."""

    status = 499
    type = "client_closed_request"


class NotFound(RequestError):
    """No such route."""

    status = 404
    type = "not_found_error"


class NotAllowed(RequestError):
    """The route does not take this method."""

    status = 405
    methods: tuple[str, ...] = ()
    """Those that it takes, which the answer has to name (RFC 9110, section 15.5.6)."""
