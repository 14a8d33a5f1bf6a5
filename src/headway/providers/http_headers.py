"""HTTP headers of requests with a JSON body."""

from __future__ import annotations

from functools import lru_cache

Pairs = tuple[tuple[str, str], ...]
SSE = "text/event-stream"


@lru_cache(maxsize=256)
def request_headers(
    authorization: Pairs, extra: Pairs, stream: bool, stream_type: str = SSE
) -> Pairs:
    """``stream_type`` is the media type to accept of a streamed response; ``extra`` comes last."""
    accept = stream_type if stream else "application/json"
    return (("content-type", "application/json"), ("accept", accept), *authorization, *extra)


@lru_cache(maxsize=256)
def bearer_headers(
    api_key: str | None, extra: Pairs, stream: bool, stream_type: str = SSE
) -> Pairs:
    """``request_headers`` with the key as a bearer token (RFC 6750)."""
    authorization = () if api_key is None else (("authorization", f"Bearer {api_key}"),)
    return request_headers(authorization, extra, stream, stream_type)
