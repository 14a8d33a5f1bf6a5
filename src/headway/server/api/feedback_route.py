"""``/api/feedback``: what somebody thinks of a reply, given and read."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from headway.dialects.base import decode_object, field
from headway.errors import InvalidField
from headway.ledger import json_views, queries
from headway.ledger.json_views import FeedbackView, LogLine
from headway.ledger.store import Call, FeedbackFilter, LogRow, Store
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


class FeedbackLine(FeedbackView, frozen=True, kw_only=True):
    """What somebody thinks of a reply."""

    call_id: str
    timestamp: float
    """Unix seconds."""
    call: LogLine | None
    """The call that it is about; null where its record is not kept any more."""


async def feedback(ledger: Ledger, request: LedgerRequest) -> Answer:
    if request.method == "POST":
        return await give_feedback(ledger, request)
    return await list_feedback(ledger, request)


async def list_feedback(ledger: Ledger, request: LedgerRequest) -> Answer:
    """A page, the newest first. A key reads what it gave itself. Raises RequestError."""
    given = [value for name, value in request.pairs if name == LABEL.name and value]
    pairs = [each for each in request.pairs if each[0] != LABEL.name]
    labels = tuple(queries.check_text(LABEL.name, each) for each in given)
    query = queries.read(pairs, request.now, takes=("limit", "cursor"), filters=("since", "until"))
    where = FeedbackFilter(
        since=query.where.since, until=query.where.until, labels=labels, owner=request.owner
    )

    async def ask(store: Store) -> tuple[list[FeedbackLine], str | None]:
        page = await store.feedback(where, limit=query.limit, cursor=query.cursor)
        calls = {each.call_id: None for each in page.rows}
        found = {call_id: await store.call(call_id, request.owner) for call_id in calls}
        return [feedback_line(each, found[each.call_id]) for each in page.rows], page.next_cursor

    rows, following = await ledger.reader.ask(ask)
    return answer({"data": rows, "next_cursor": following})


def feedback_line(given: Feedback, call: Call | None) -> FeedbackLine:
    row = None
    if call is not None:
        row = json_views.log_line(LogRow(call.last, json_views.cost_of(call.attempts)))
    return FeedbackLine(
        id=given.id,
        time=json_views.iso_time(given.timestamp),
        key=given.key_id,
        score=given.score,
        label=given.label,
        comment=given.comment,
        call_id=given.call_id,
        timestamp=given.timestamp,
        call=row,
    )


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
