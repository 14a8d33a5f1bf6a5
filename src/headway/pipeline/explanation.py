"""What would happen to a request: values, as ``POST /api/explain`` replies with them. Null is
unknown, or not the case."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Role = Literal["target", "on_context_window", "on_content_policy", "shadow"]
TokensSource = Literal["counted", "estimated"]
OutputSource = Literal["max_tokens", "mean", "assumed"]
CacheState = Literal["hit", "miss", "bypass"]


class ExplainedRequest(Struct, frozen=True, kw_only=True):
    """The request as the conditions of routes read it."""

    dialect: str
    """Its wire format."""
    operation: str
    """`chat`, `embeddings`, or another one."""
    stream: bool
    input_tokens: int
    """Of the prompt with its tools."""
    input_tokens_source: TokensSource
    """`counted` with the model's or a similar vocabulary, or `estimated` by length, as conditions
    and contexts are compared with it in any case."""
    estimated_tokens: int
    """That estimate."""
    max_output_tokens: int | None
    needs: tuple[str, ...]
    """What a model must be able to do."""
    tags: tuple[str, ...]
    key: str
    """The id of the gateway key."""
    user: str
    session: str


class ExplainedPrice(Struct, frozen=True, kw_only=True):
    """What the request would cost at a target, by the standard price."""

    input_usd_per_mtok: float | None
    """US dollars per million tokens of the input."""
    output_usd_per_mtok: float | None
    """US dollars per million tokens of the output."""
    output_tokens: float
    """The length of the answer that the estimate is for."""
    output_tokens_source: OutputSource
    """`max_tokens` of the request, the `mean` of the calls of the last days to this model, or
    `assumed`."""
    estimated_usd: float | None
    """US dollars."""


class ExplainedKey(Struct, frozen=True, kw_only=True):
    name: str
    """Never the key itself."""
    waits_s: float
    """Seconds until it may be used: the provider limited it or refuses it. 0: now."""


class ExplainedState(Struct, frozen=True, kw_only=True):
    """What attempts showed of a target lately."""

    breaker: Literal["closed", "open", "half_open"]
    """`open`: it failed and is left alone. `half_open`: one request at a time tries it again."""
    rests_s: float
    """Seconds until it is tried again."""
    outstanding: int
    """Attempts under way."""
    error_share: float
    """From 0 to 1."""
    time_to_first_token_s: float | None
    """For a stream; until the end of a whole answer. Peaks decay over seconds."""
    tokens_per_second: float | None
    hedge_delay_s: float | None
    """Seconds of silence after which a second request would be sent to the next target; null
    without `hedge`, or where too little is known."""


class ExplainedTarget(Struct, frozen=True, kw_only=True):
    target: str
    """`provider/model`."""
    role: Role
    """`target` of the route; what follows a prompt that is too long or content that is refused; or
    the `shadow`, which gets copies."""
    place: int | None
    """Its place among those that would be tried, from 1."""
    skipped: str | None
    """Why it would not be tried, in words that follow its name."""
    kind: str | None
    """The kind of its provider."""
    weight: float
    condition: str | None
    """What must hold for it to be used."""
    context_window: int | None
    """Tokens of the longest input."""
    lacks: tuple[str, ...]
    """What its provider or, by the data that ships, its model cannot do."""
    price: ExplainedPrice
    transformations: tuple[str, ...]
    """How the request would be changed for the provider."""
    keys: tuple[ExplainedKey, ...]
    state: ExplainedState


class ExplainedLimits(Struct, frozen=True, kw_only=True):
    """Seconds, or tokens a second; null is no limit."""

    time_to_first_token: float | None
    idle: float | None
    tokens_per_second: float | None
    total: float | None


class ExplainedRules(Struct, frozen=True, kw_only=True):
    """What the route and the request's headers say."""

    strategy: str
    sticky: str | None
    retries: int
    max_attempts: int
    limits: ExplainedLimits
    fail_on: tuple[str, ...]
    hedge_max_share: float | None
    continue_streams: bool
    shadow_share: float | None


class Explanation(Struct, frozen=True, kw_only=True):
    model: str
    """As the request names it."""
    route: str | None
    """The route of that name; `request` for one that the request itself describes; null for one
    model."""
    why: str
    """How the order came about. A strategy by chance is drawn anew for each request."""
    order: tuple[str, ...]
    """The targets in the order in which they would be tried."""
    refusal: str | None
    """What the client would be told, where no target can be sent the request."""
    cache: CacheState | None
    """Whether a kept response would be the answer; null where nothing is kept."""
    request: ExplainedRequest
    targets: tuple[ExplainedTarget, ...]
    rules: ExplainedRules
