"""``POST /api/compare``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway import errors
from headway.server.asgi import COMPARE
from headway.server.openapi import error_examples
from headway.server.openapi.error_examples import ErrorExample
from headway.server.openapi.examples import compare as examples
from headway.server.openapi.ledger_operations import NO_JSON
from headway.server.openapi.operation import EVENTS, Body, Operation, Parameter
from headway.server.openapi.response_headers import REQUEST_ID
from headway.server.openapi.schemas import compare

_COMPARE = """\
Each model, as many times as `runs` says, is a lane: a call of its own, metered and recorded with \
the tag `compare:ID`. All lanes answer at once, over one stream of server-sent events: `start` of \
each lane first; `chunk` as the pieces come; `done` or `error` at the end of a lane; `end` when \
all are over, and then the stream ends. Lanes are numbered from 0: all runs of the first model, \
then those of the second.

Up to 20 lanes run at a time, fewer of a very large request; each further one waits (`waits` in \
its `start`) until another one is over. `at_ms` of a lane and its metrics count from its own \
start, and `waited_ms` says how long after the request that was.

A lane that fails or is refused, because its model is unknown for instance, leaves the others \
alone. A request that is wrong for all of them is refused as a whole. A client that disconnects \
cancels all lanes. Answers are never taken from the cache, unless the request says something of it \
(`cache-control`, `x-headway-cache-ttl`). A header `x-headway-provider-key` is taken where all \
models are of one provider."""
COMPARISON_HEADER: Mapping[str, Any] = {
    "x-headway-comparison": {
        "description": "The id of the comparison: its calls have the tag `compare:ID`.",
        "schema": {"type": "string"},
    }
}
NO_MODELS = ErrorExample(
    "A field is missing or has another type",
    errors.InvalidField(
        "`models` is missing: it must be a list of 1 to 20 names, or of objects with a `model` and "
        "the fields that replace those of the body for it.",
        param="models",
    ),
)


def operations(parameters: tuple[Parameter, ...]) -> tuple[Operation, ...]:
    """``parameters`` of a call that is always a stream."""
    return (
        Operation(
            method="post",
            path=COMPARE,
            id="compare",
            tag="Engine",
            summary="Compare the answers of several models, as they stream",
            description=_COMPARE,
            parameters=parameters,
            request=Body((compare.CompareRequest,), examples.REQUESTS),
            response="The events of all lanes.",
            responses=(
                Body(
                    (
                        compare.LaneStart,
                        compare.LaneChunk,
                        compare.LaneDone,
                        compare.LaneError,
                        compare.ComparisonEnd,
                    ),
                    examples.EVENTS,
                    EVENTS,
                ),
            ),
            headers={**REQUEST_ID, **COMPARISON_HEADER},
            errors=(error_examples.UNAUTHORIZED, NO_JSON, NO_MODELS),
        ),
    )
