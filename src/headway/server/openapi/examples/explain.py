"""What would happen to a request."""

from __future__ import annotations

import msgspec

from headway.pipeline.explanation import (
    ExplainedKey,
    ExplainedLimits,
    ExplainedPrice,
    ExplainedRequest,
    ExplainedRules,
    ExplainedState,
    ExplainedTarget,
    Explanation,
)
from headway.server.openapi.examples.base import CONTEXT, Example

REQUESTS = (
    Example("A request in OpenAI's format", {"model": "smart", "messages": CONTEXT}),
    Example(
        "A request in another format, with a header",
        {
            "dialect": "messages",
            "body": {"model": "smart", "messages": CONTEXT, "max_tokens": 200},
            "headers": {"x-headway-tags": "vip"},
        },
    ),
)


def _state(first_token_s: float | None, rate: float | None) -> ExplainedState:
    return ExplainedState(
        breaker="closed",
        rests_s=0.0,
        outstanding=0,
        error_share=0.0,
        time_to_first_token_s=first_token_s,
        tokens_per_second=rate,
        hedge_delay_s=None,
    )


_EXPLANATION = Explanation(
    model="smart",
    route="smart",
    why="ordered",
    order=("openai/gpt-4.1",),
    refusal=None,
    cache=None,
    request=ExplainedRequest(
        dialect="openai_chat",
        operation="chat",
        stream=False,
        input_tokens=13,
        input_tokens_source="counted",
        estimated_tokens=12,
        max_output_tokens=None,
        needs=(),
        tags=(),
        key="2bb80d53",
        user="",
        session="",
    ),
    targets=(
        ExplainedTarget(
            target="anthropic/claude-sonnet-4-5",
            role="target",
            place=None,
            skipped="is for requests with: tags vip",
            kind="anthropic",
            weight=1.0,
            condition="tags vip",
            context_window=200000,
            lacks=("audio", "logprobs"),
            price=ExplainedPrice(
                input_usd_per_mtok=3.0,
                output_usd_per_mtok=15.0,
                output_tokens=412.5,
                output_tokens_source="mean",
                estimated_usd=0.006226,
            ),
            transformations=(),
            keys=(ExplainedKey(name="anthropic", waits_s=0.0),),
            state=_state(None, None),
        ),
        ExplainedTarget(
            target="openai/gpt-4.1",
            role="target",
            place=1,
            skipped=None,
            kind="openai",
            weight=1.0,
            condition=None,
            context_window=1047576,
            lacks=("audio",),
            price=ExplainedPrice(
                input_usd_per_mtok=2.0,
                output_usd_per_mtok=8.0,
                output_tokens=500,
                output_tokens_source="assumed",
                estimated_usd=0.004026,
            ),
            transformations=(),
            keys=(ExplainedKey(name="openai", waits_s=0.0),),
            state=_state(0.42, 61.5),
        ),
    ),
    rules=ExplainedRules(
        strategy="ordered",
        sticky=None,
        retries=0,
        max_attempts=6,
        limits=ExplainedLimits(
            time_to_first_token=5.0, idle=None, tokens_per_second=None, total=None
        ),
        fail_on=(),
        hedge_max_share=None,
        continue_streams=False,
        shadow_share=None,
    ),
)
REPLY = (Example("A route of two targets", msgspec.to_builtins(_EXPLANATION)),)
