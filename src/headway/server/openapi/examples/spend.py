"""Spend as clients of LiteLLM's proxy read it."""

from __future__ import annotations

from headway.server.openapi.examples.base import PROVIDER, Example

LOGS = (
    Example(
        "A call",
        [
            {
                "request_id": "chatcmpl-9b1e58f1",
                "call_type": "acompletion",
                "api_key": "2bb80d53",
                "spend": 0.0000455,
                "total_tokens": 39,
                "prompt_tokens": 13,
                "completion_tokens": 26,
                "startTime": "2026-11-30T12:00:00.000000Z",
                "endTime": "2026-11-30T12:00:01.055686Z",
                "completionStartTime": "2026-11-30T12:00:00.830295Z",
                "request_duration_ms": 1056,
                "model": "gpt-3.5-turbo-0125",
                "model_id": "",
                "model_group": "gpt-3.5-turbo",
                "custom_llm_provider": PROVIDER,
                "api_base": "",
                "user": "user-7",
                "metadata": {"provider": "azure-eu", "attempts": 1},
                "cache_hit": "False",
                "cache_key": "",
                "request_tags": ["team:search"],
                "team_id": None,
                "end_user": "user-7",
                "requester_ip_address": None,
                "session_id": "session-1",
                "status": "success",
                "messages": {},
                "response": {},
            }
        ],
    ),
    Example(
        "A day, with both dates",
        [
            {
                "users": {"user-7": 1.25},
                "models": {"gpt-4.1": 1.25},
                "spend": 1.25,
                "startTime": "2026-11-30",
                "2bb80d53": 1.25,
            }
        ],
    ),
)
TOTAL = (Example("Of thirty days", {"spend": 37.5, "max_budget": 0.0}),)
DAYS = (Example("A day", [{"date": "2026-11-30T00:00:00+00:00", "spend": 1.25}]),)
KEYS = (
    Example(
        "A key",
        [{"api_key": "2bb80d53", "key_alias": None, "key_name": None, "total_spend": 37.5}],
    ),
)
MODELS = (
    Example("A model", [{"model": "gpt-4.1", "total_spend": 37.5, "total_tokens": 9_000_000}]),
)
PROVIDERS = (Example("A provider", [{"provider": "azure-eu", "spend": 37.5}]),)
TAGS = (
    Example(
        "A tag", {"spend_per_tag": [{"name": "team:search", "spend": 12.5, "log_count": 1400}]}
    ),
)
TAG_NAMES = (Example("Two tags", {"tag_names": ["team:search", "beta"]}),)
REQUEST_TAGS = (
    Example(
        "A tag",
        [{"individual_request_tag": "team:search", "log_count": 1400, "total_spend": 12.5}],
    ),
)
QUESTION = (Example("Of a month", {"startTime": "2026-11-01", "endTime": "2026-11-30"}),)
END_USERS = (Example("A user", [{"end_user": "user-7", "total_count": 210, "total_spend": 3.75}]),)
