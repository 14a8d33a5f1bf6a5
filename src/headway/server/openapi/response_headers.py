"""Descriptions of the response headers, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

Described = dict[str, dict[str, Any]]


def _header(text: str, **schema: Any) -> dict[str, Any]:
    return {"description": text, "schema": schema}


_IN_WHOLE = "Not on a stream; absent if unknown."
_ON_ERRORS = "On an error, if an attempt was made."

REQUEST_ID: Described = {
    "x-request-id": _header(
        "The id of the request in the log and in its record: the client's own, if it sent one.",
        type="string",
    )
}
OWN_REQUEST_ID: Described = {
    "x-headway-request-id": _header(
        "The id of the request in the log and in its record. `x-request-id` is the provider's, if "
        "it has one.",
        type="string",
    )
}
RETRY_AFTER: Described = {
    "retry-after-ms": _header("The same in milliseconds, where it is more exact.", type="integer"),
    "retry-after": _header(
        "Seconds to wait before another attempt, where the provider said so.",
        type="integer",
        minimum=1,
    ),
}
METRICS_HEADERS: Described = {
    **REQUEST_ID,
    "x-headway-provider": _header("The configured name of the provider.", type="string"),
    "x-headway-model": _header(
        "The model that answered, as the provider names it; where it does not, the model that it "
        "was asked for. On a stream only if the provider names it before its first content.",
        type="string",
    ),
    "x-headway-attempts": _header("The number of requests to providers.", type="integer"),
    "x-headway-latency-ms": _header(
        f"Milliseconds to the last byte of the answer. {_IN_WHOLE}", type="number"
    ),
    "x-headway-overhead-ms": _header(
        f"The gateway's own share of the time, in milliseconds. {_IN_WHOLE}", type="number"
    ),
    "x-headway-ttft-ms": _header(
        "Milliseconds to the first content. On a stream only if the head leaves with it.",
        type="number",
    ),
    "x-headway-input-tokens": _header(f"Input tokens. {_IN_WHOLE}", type="integer"),
    "x-headway-output-tokens": _header(f"Output tokens. {_IN_WHOLE}", type="integer"),
    "x-headway-cost-usd": _header(f"The cost in US dollars. {_IN_WHOLE}", type="number"),
    "server-timing": _header(
        "`upstream`, `gateway` and `ttft` in milliseconds, as far as they are known, for the tools "
        "of browsers (W3C Server Timing).",
        type="string",
    ),
    "x-headway-metrics": _header(
        "The `metrics` object, if the request's header of the same name asks for it. A stream has "
        "it in its last event instead.",
        type="string",
    ),
    "x-headway-transformations": _header(
        "A change to the request for the provider, or what its response lacked, one header each. "
        "On a stream the changes to the request only.",
        type="string",
    ),
}
ATTEMPT_HEADERS: Described = {
    "x-headway-provider": _header(
        f"The configured name of the provider. {_ON_ERRORS}", type="string"
    ),
    "x-headway-attempts": _header(
        f"The number of requests to providers. {_ON_ERRORS}", type="integer"
    ),
    "x-should-retry": _header(
        "Whether a retry may help: as the provider says, or where the status is misleading.",
        type="string",
        enum=["true", "false"],
    ),
}


def _limit_headers(pattern: str, kinds: tuple[str, ...], reset: str) -> Described:
    texts = (
        ("limit", "The provider's limit of {} in a time.", {"type": "integer"}),
        ("remaining", "How many {} remain of it.", {"type": "integer"}),
        ("reset", f"When the limit of {{}} is reset: {reset}.", {"type": "string"}),
    )
    return {
        pattern.format(part=part, kind=kind): _header(text.format(kind), **schema)
        for kind in kinds
        for part, text, schema in texts
    }


OPENAI_LIMITS = _limit_headers(
    "x-ratelimit-{part}-{kind}", ("requests", "tokens"), "a duration, such as `6m0s`"
)
ANTHROPIC_LIMITS = _limit_headers(
    "anthropic-ratelimit-{kind}-{part}",
    ("requests", "tokens", "input-tokens", "output-tokens"),
    "a time (RFC 3339)",
)
