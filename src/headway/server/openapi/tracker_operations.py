"""The routes of LLMstudio's tracker."""

from __future__ import annotations

from headway import errors
from headway.server.openapi import error_examples
from headway.server.openapi.error_examples import ErrorExample
from headway.server.openapi.examples import tracker as examples
from headway.server.openapi.ledger_operations import COMMON, NO_JSON, UNAVAILABLE, VISIBLE
from headway.server.openapi.operation import Body, Operation, Parameter
from headway.server.openapi.schemas import tracker

TAG = "LLMstudio"
CSV = "text/csv"
_LOGS = f"""\
For clients of LLMstudio's tracker: every call of the ledger, the oldest first, as that system \
describes one. {VISIBLE}"""
_PAGE = (
    Parameter("skip", "query", "Logs to leave out; 0 unless given.", "0", required=False),
    Parameter("limit", "query", "The most logs; 1000 unless given.", "100", required=False),
)
_SESSION_ID = Parameter("id", "path", "The id of the session.", "session-1")
WRONG_PAGE = ErrorExample(
    "`skip` or `limit` is no whole number",
    errors.InvalidField("`skip` must be a whole number from 0.", param="skip"),
)
WRONG_LOG = ErrorExample(
    "A field has another type",
    errors.InvalidField("`context` must be a list of messages.", param="context"),
)
NO_ENTRY = ErrorExample(
    "There is no such entry, or the key may not see it",
    errors.NotFound("There is no entry 17 of a session.", param="message_id"),
)
WRONG_ENTRY = ErrorExample(
    "The id of the entry is no whole number, or a field has another type",
    errors.InvalidField("`message_id` must be a whole number.", param="message_id"),
)
WRONG_ROWS = ErrorExample(
    "The body is no list of objects",
    errors.InvalidField("The body must be a JSON list of objects."),
)
_ERRORS = (error_examples.UNAUTHORIZED, UNAVAILABLE)

OPERATIONS = (
    Operation(
        method="post",
        path="/api/export",
        id="export_rows",
        tag=TAG,
        summary="Rows as a table",
        description="The rows in the body as LLMstudio's proxy exports them: the names of the "
        "first row, then each value as JSON, with semicolons between. `GET /api/export` has the "
        "records.",
        request=Body((tracker.ExportedRow,), examples.ROWS, is_list=True),
        response="The table.",
        responses=(Body((tracker.ExportedTable,), examples.TABLE, CSV),),
        errors=(error_examples.UNAUTHORIZED, WRONG_ROWS),
    ),
    Operation(
        method="get",
        path="/api/tracking/logs",
        id="tracking_logs",
        tag=TAG,
        summary="List the logs",
        description=_LOGS,
        parameters=_PAGE,
        response="The logs.",
        responses=(Body((tracker.TrackedLogReply,), examples.LOGS, is_list=True),),
        errors=(*_ERRORS, WRONG_PAGE),
    ),
    Operation(
        method="post",
        path="/api/tracking/logs",
        id="add_tracking_log",
        tag=TAG,
        summary="Add a log",
        description="A call that was made without this gateway becomes a record, with its client's "
        "own tokens and cost. A log of a reply that this gateway has given is no second record: it "
        "only puts the call into the session. The texts are kept as `ledger.content` says.",
        request=Body((tracker.TrackedLog,), examples.LOG),
        response="The log, which is on disk.",
        responses=(Body((tracker.TrackedLogReply,), examples.LOG_REPLY),),
        errors=(*_ERRORS, NO_JSON, WRONG_LOG),
    ),
    Operation(
        method="get",
        path="/api/tracking/logs/{id}",
        id="tracking_session_logs",
        tag=TAG,
        summary="The logs of one session",
        description=_LOGS,
        parameters=(_SESSION_ID, *_PAGE),
        response="The logs.",
        responses=(Body((tracker.TrackedLogReply,), examples.LOGS, is_list=True),),
        errors=(*COMMON, WRONG_PAGE),
    ),
    Operation(
        method="post",
        path="/api/tracking/session",
        id="add_tracking_session",
        tag=TAG,
        summary="Add an entry to a session",
        description="It counts as no call. The messages are kept as `ledger.content` says.",
        request=Body((tracker.TrackedSession,), examples.SESSION),
        response="The entry, which is on disk.",
        responses=(Body((tracker.TrackedSessionReply,), examples.SESSION_REPLY),),
        errors=(*_ERRORS, NO_JSON, WRONG_LOG),
    ),
    Operation(
        method="get",
        path="/api/tracking/session/{id}",
        id="tracking_session",
        tag=TAG,
        summary="The entries of a session",
        description="Those that clients have added, the oldest first; of a session without any, "
        f"its calls. {VISIBLE}",
        parameters=(_SESSION_ID,),
        response="The entries.",
        responses=(Body((tracker.TrackedSessionReply,), examples.SESSIONS, is_list=True),),
        errors=COMMON,
    ),
    Operation(
        method="patch",
        path="/api/tracking/session/{id}",
        id="update_tracking_session",
        tag=TAG,
        summary="Replace the extras of an entry",
        description=VISIBLE,
        parameters=(Parameter("id", "path", "The `message_id` of the entry.", "1796040001250000"),),
        request=Body((tracker.Extras,), examples.EXTRAS),
        response="The entry.",
        responses=(Body((tracker.TrackedSessionReply,), examples.SESSION_REPLY),),
        errors=(*_ERRORS, NO_ENTRY, NO_JSON, WRONG_ENTRY),
    ),
)
