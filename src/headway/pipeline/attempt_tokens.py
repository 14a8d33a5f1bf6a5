"""Count the tokens of an attempt whose provider did not report them."""

from __future__ import annotations

import asyncio

from headway.errors import ClientGone, HeadwayError
from headway.pipeline import accounting
from headway.pipeline.accounting import AttemptResult
from headway.pipeline.attempt import Attempt
from headway.pipeline.gateway import Gateway

MAX_COUNT_S = 0.1
"""Seconds that an error waits for the count of the tokens before it."""


async def count_whole(gateway: Gateway, attempt: Attempt, result: AttemptResult) -> AttemptResult:
    """The tokens of a complete response."""
    output = attempt.accumulator.produced()
    return await accounting.count_tokens(result, output, gateway.count, is_complete=True)


async def count_part(
    gateway: Gateway, attempt: Attempt, result: AttemptResult, error: HeadwayError
) -> AttemptResult:
    """The tokens of an incomplete response. A client that waits for the error does not wait until
    the first count has loaded its vocabulary: they are estimated by length then."""
    output = attempt.accumulator.produced()
    counted = accounting.count_tokens(result, output, gateway.count, is_complete=False)
    if isinstance(error, ClientGone):
        return await counted
    counting = gateway.share(counted)
    done, _ = await asyncio.wait({counting}, timeout=MAX_COUNT_S)
    if done:
        return counting.result()
    return accounting.estimate_tokens(result, output)
