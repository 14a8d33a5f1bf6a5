"""Spend as clients of LiteLLM's proxy read it."""

# ruff: noqa: N815 - the names are those on the wire
from __future__ import annotations

from typing import Any

from headway.server.openapi.schemas.base import OpenShape, Shape


class SpendLog(Shape):
    """A call, in the columns of LiteLLM's table of spend."""

    request_id: str
    """The `id` of the reply."""
    call_type: str
    api_key: str
    """The id of the key: the first eight hex digits of its SHA-256, or `anonymous`."""
    spend: float
    """US dollars."""
    total_tokens: int
    prompt_tokens: int
    completion_tokens: int
    startTime: str
    """ISO 8601, in UTC."""
    endTime: str
    completionStartTime: str
    """When the first token came."""
    request_duration_ms: int
    model: str
    """The model that answered."""
    model_id: str
    model_group: str
    """The model that was asked for."""
    custom_llm_provider: str
    """The kind of the provider."""
    api_base: str
    user: str
    metadata: dict[str, Any]
    cache_hit: str
    """`True` or `False`."""
    cache_key: str
    request_tags: list[str]
    team_id: str | None
    end_user: str
    requester_ip_address: str | None
    session_id: str | None
    status: str
    """`success` or `failure`."""
    messages: dict[str, Any]
    """Empty: `GET /api/logs/{id}` has the messages, where they are kept."""
    response: dict[str, Any]


class SpendDay(OpenShape):
    """The spend of a day; besides these fields, that of each key under its id."""

    startTime: str
    """The day, in UTC."""
    spend: float
    users: dict[str, float]
    models: dict[str, float]


class SpendTotal(Shape):
    spend: float
    max_budget: float


class SpendDate(Shape):
    date: str
    spend: float
    api_key: str | None = None
    """The key, where one was asked for."""


class SpendOfKey(Shape):
    api_key: str
    key_alias: str | None
    key_name: str | None
    total_spend: float


class SpendOfModel(Shape):
    model: str
    total_spend: float
    total_tokens: int


class SpendOfProvider(Shape):
    provider: str
    spend: float


class SpendOfTag(Shape):
    name: str
    spend: float
    log_count: int


class SpendOfTags(Shape):
    spend_per_tag: list[SpendOfTag]


class TagNames(Shape):
    tag_names: list[str]


class SpendOfRequestTag(Shape):
    individual_request_tag: str
    log_count: int
    total_spend: float


class EndUsersQuestion(Shape):
    startTime: str | None = None
    """A date or time; thirty days ago unless given."""
    endTime: str | None = None
    api_key: str | None = None
    """A key, its SHA-256, or the first eight hex digits of that."""


class SpendOfEndUser(Shape):
    end_user: str
    total_count: int
    total_spend: float
