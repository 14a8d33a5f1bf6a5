"""``POST /api/feedback``: what somebody thinks of a reply."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from headway.dialects.base import decode_object, field
from headway.errors import InvalidField
from headway.ledger import json_views, queries
from headway.record import Feedback, encode
from headway.server.api.ledger_requests import Answer, Ledger, LedgerRequest, answer, find_call

MAX_SCORE = 1e9
MAX_LABEL, MAX_COMMENT = 200, 10_000
"""Characters."""
ID = field("id", str, "a string: the id of a reply, or the `x-request-id` of its request")
SCORE = field(
    "score",
    Annotated[float, Meta(ge=-MAX_SCORE, le=MAX_SCORE)] | None,
    "a number, such as 1 for good and 0 for bad",
)
LABEL = field(
    "label",
    Annotated[str, Meta(max_length=MAX_LABEL)] | None,
    f"a string of at most {MAX_LABEL} characters",
)
COMMENT = field(
    "comment",
    Annotated[str, Meta(max_length=MAX_COMMENT)] | None,
    f"a string of at most {MAX_COMMENT} characters",
)
FIELDS = (ID, SCORE, LABEL, COMMENT)


async def give_feedback(ledger: Ledger, request: LedgerRequest) -> Answer:
    """Write the feedback to the spool, from where it goes to the database. Raises InvalidBody,
    InvalidField; NotFound for a call that the key may not see."""
    request.read(filters=())
    fields = decode_object(request.body)
    names = [each.name for each in FIELDS]
    for name in fields:
        if name not in names:
            known = ", ".join(f"`{each}`" for each in names)
            raise InvalidField(f"`{name[:40]}` is no field here; there are {known}.", param=name)
    call_id = ID.require(fields)
    score, label, comment = (each.read(fields) for each in FIELDS[1:])
    if score is None and not label and not comment:
        raise InvalidField("One of `score`, `label` and `comment` is needed.", param="score")
    for name, text in (("label", label), ("comment", comment)):
        if text and "\x00" in text:
            raise InvalidField(f"`{name}` {queries.NO_CHARACTER}.", param=name)
    call = await find_call(ledger, call_id, request.owner)
    gateway = ledger.gateway
    feedback = Feedback(
        id=gateway.new_id(),
        call_id=call.id,
        timestamp=gateway.unix_time(),
        key_id=request.key_id,
        score=score,
        label=label or None,
        comment=comment or None,
    )
    gateway.spool.append(encode(feedback))
    time = json_views.iso_time(feedback.timestamp)
    return answer({"id": feedback.id, "call_id": call.id, "time": time})
