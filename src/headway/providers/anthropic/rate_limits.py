"""The headers of Anthropic's rate limits (platform.claude.com/docs/en/api/rate-limits)."""

from __future__ import annotations

from headway.providers.rate_limits import rate_limit_headers

PREFIX = "anthropic-ratelimit"
HEADERS = rate_limit_headers(
    {
        kind: (
            (
                f"{PREFIX}-{kind}-limit".encode(),
                f"{PREFIX}-{kind}-remaining".encode(),
                f"{PREFIX}-{kind}-reset".encode(),
            ),
        )
        for kind in ("requests", "tokens", "input-tokens", "output-tokens")
    },
    f"{PREFIX}-".encode(),
    b"anthropic-priority-",
)
