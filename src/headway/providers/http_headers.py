"""Request headers for APIs whose key is a bearer token."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=256)
def bearer_headers(
    api_key: str | None, extra: tuple[tuple[str, str], ...], stream: bool
) -> tuple[tuple[str, str], ...]:
    headers = [
        ("content-type", "application/json"),
        ("accept", "text/event-stream" if stream else "application/json"),
    ]
    if api_key is not None:
        headers.append(("authorization", f"Bearer {api_key}"))
    return (*headers, *extra)
