"""A provider that is a gateway which the request has come through is told as a loop, by every
adapter and in the error format of every dialect."""

from __future__ import annotations

from headway.errors import LoopDetected, UpstreamLoop
from headway.providers import KINDS
from headway.server.routes import DIALECTS
from support.for_each import for_each

MESSAGE = "This request came back to the gateway that sent it."
BODIES = {
    type(dialect).__name__: dialect.encode_error(LoopDetected(MESSAGE), None, "id-1")
    for _, dialect in DIALECTS
}


@for_each("dialect", BODIES)
@for_each("kind", KINDS)
def test_a_loop_is_no_other_error_and_not_tried_again(kind: str, dialect: str) -> None:
    error = KINDS[kind].decode_error(508, (), BODIES[dialect])
    assert isinstance(error, UpstreamLoop)
    assert (error.status, error.type, error.retryable) == (508, "loop_detected", False)
    assert MESSAGE in error.message


@for_each(("prefix", "dialect"), DIALECTS)
def test_every_dialect_keeps_its_status(prefix: str, dialect: object) -> None:
    assert dialect.status_of(LoopDetected(MESSAGE)) == 508  # type: ignore[attr-defined]
