"""The routes of the ledger."""

from __future__ import annotations

from collections.abc import Iterable

from headway import errors
from headway.ledger.comparison import METRICS
from headway.ledger.queries import FILTERS, OPTIONS
from headway.ledger.value_counts import MAX_COUNTED
from headway.server.api.comparison_route import COMPARED
from headway.server.openapi import error_examples
from headway.server.openapi.error_examples import ErrorExample
from headway.server.openapi.examples import comparison as comparison_examples
from headway.server.openapi.examples import ledger as examples
from headway.server.openapi.examples import replay as replay_examples
from headway.server.openapi.examples.base import ID
from headway.server.openapi.operation import EVENTS, NDJSON, Body, Operation, Parameter
from headway.server.openapi.schemas import ledger, replay
from headway.server.replay import not_kept

TAG = "Ledger"
VISIBLE = """\
Without keys of its own a server shows all records; with keys, each key sees its own, and those in \
`server.admin_keys` see all."""
_LOGS = f"""\
One row for each call. Several values of a parameter, repeated or separated by commas, mean any of \
them; several parameters mean all. {VISIBLE}

With `follow=1`, or `Accept: text/event-stream`, the reply is server-sent events: each call as it \
ends, until the client disconnects. `limit` then says how many earlier calls come first, and the \
header `last-event-id` goes on where a connection broke. The event `left_out` says that more calls \
ended than are sent at once, and `error` that the ledger cannot be read."""
_EXPORT = f"""\
The records of all attempts, the oldest first, until the time of the request: as CSV, as lines of \
JSON, or as Parquet (needs the extra `archive`). The reply is streamed. A text that a spreadsheet \
would compute begins with an apostrophe in the CSV. {VISIBLE}"""
_USAGE = f"""\
Sums, means and percentiles for each group of `by`, and for all together. Percentiles are within \
1% of a value that occurred. A call with several tags counts in each of them, and once in `total`. \
`minute` and `five_minutes` are added up from the records themselves, and are for periods of up to \
six hours; all longer times come from sums. {VISIBLE}"""
_REPLAY = f"""\
The messages of the call must have been kept (`ledger.content: full`). The request is run as it \
was, in its own wire format and streamed or not, and each run is metered and recorded as a call of \
its own, with the tag `replay:ID`. `difference` is a result less the original. {VISIBLE}"""
_GENERATION = f"""\
For clients of OpenRouter's API, which ask it what a reply used and cost; also at `/v1/generation` \
and `/generation`. {VISIBLE}"""

WRONG = ErrorExample(
    "A parameter is unknown or wrong",
    errors.RequestError(
        "`since` is wrong: it takes an ISO 8601 time (UTC if it names no zone), Unix seconds, or "
        "an age such as 24h or 7d.",
        param="since",
    ),
)
UNAVAILABLE = ErrorExample(
    "The database cannot be used now",
    errors.LedgerUnavailable(
        "The ledger cannot be read now: the server at db:5432 does not answer.", retry_after_s=5.0
    ),
)
NO_CALL = ErrorExample(
    "There is no such call, or the key may not see it",
    errors.NotFound("There is no call 'f00' that this key may see.", param="id"),
)
NO_SESSION = ErrorExample(
    "There is no such session, or the key may not see it",
    errors.NotFound("There is no session 'f00' that this key may see.", param="id"),
)
FOLLOWERS = ErrorExample(
    "Too many clients follow the calls",
    errors.RequestError(
        "16 clients follow the calls already; try again later.", status=429, retry_after_s=15.0
    ),
)
NO_FORMAT = ErrorExample(
    "The format needs a library that is not installed",
    errors.RequestError(
        "Parquet needs pyarrow, which is not installed: install Headway with its extra `archive` "
        "(pip install 'headway[archive]').",
        param="format",
        status=501,
    ),
)
NO_JSON = ErrorExample(
    "The body is not JSON, or not an object",
    errors.InvalidBody("The body is not valid JSON: Input data was truncated."),
)
WRONG_FIELD = ErrorExample(
    "A field is missing or wrong",
    errors.InvalidField("One of `score`, `label` and `comment` is needed.", param="score"),
)
NOT_KEPT = ErrorExample(
    "The messages of the call were not kept",
    not_kept("off"),
)
NO_MODELS = ErrorExample(
    "A field is missing or has another type",
    errors.InvalidField(
        "`models` is missing: it must be a list of names, each provider/model.", param="models"
    ),
)
WRONG_REPLAY = ErrorExample(
    "A parameter cannot be replaced",
    errors.RequestError(
        "`parameters.model` cannot be replaced: a replay has the request's own.",
        param="parameters.model",
    ),
)
COMMON = (WRONG, error_examples.UNAUTHORIZED, UNAVAILABLE)


def _parameters(*names: str, filters: Iterable[str] = FILTERS) -> tuple[Parameter, ...]:
    known = {**{name: FILTERS[name] for name in filters}, **{name: OPTIONS[name] for name in names}}
    return tuple(
        Parameter(name, "query", each.meaning, each.example, required=False)
        for name, each in known.items()
    )


def _id(text: str, example: str) -> Parameter:
    return Parameter("id", "path", text, example)


CALL_ID = "The `id` of the reply, or the `x-request-id` of its request."
OPERATIONS = (
    Operation(
        method="get",
        path="/api/logs",
        id="logs",
        tag=TAG,
        summary="List the calls, or follow them",
        description=_LOGS,
        parameters=_parameters("limit", "cursor", "follow"),
        response="A page, the newest first; or the calls as they end.",
        responses=(
            Body((ledger.LogPage,), examples.LOGS),
            Body((ledger.LogLine,), examples.EVENT, EVENTS),
        ),
        errors=(*COMMON, FOLLOWERS),
    ),
    Operation(
        method="get",
        path="/api/logs/facets",
        id="log_facets",
        tag=TAG,
        summary="Count the values of the newest calls",
        description="For choosing filters: how many calls have which provider, model, outcome, "
        "status, key, user, tag, route, cache and format. Counted are the newest calls that the "
        f"filters mean, at most {MAX_COUNTED:,}: `of` and `is_all` say how many. {VISIBLE}",
        parameters=_parameters(),
        response="The most frequent values of each.",
        responses=(Body((ledger.LogFacets,), examples.FACETS),),
        errors=COMMON,
    ),
    Operation(
        method="get",
        path="/api/logs/{id}",
        id="log",
        tag=TAG,
        summary="One call",
        description="All that is known of it: its attempts, the lines of its bill, its times as a "
        "waterfall, what has been said of it, and its messages where they are kept. A call that "
        f"has just ended is waited for, up to two seconds. {VISIBLE}",
        parameters=(_id(CALL_ID, ID),),
        response="The call.",
        responses=(Body((ledger.CallDetails,), examples.CALL),),
        errors=(*COMMON, NO_CALL),
    ),
    Operation(
        method="get",
        path="/api/sessions",
        id="sessions",
        tag=TAG,
        summary="List the sessions",
        description=f"The sums of the calls with one session id. {VISIBLE}",
        parameters=_parameters("limit", "cursor"),
        response="A page, the most recent first.",
        responses=(Body((ledger.SessionPage,), examples.SESSIONS),),
        errors=COMMON,
    ),
    Operation(
        method="get",
        path="/api/sessions/{id}",
        id="session",
        tag=TAG,
        summary="One session",
        description="Its sums, its newest calls in the order in which they ended, and its "
        f"conversation where messages are kept. {VISIBLE}",
        parameters=(
            _id("The session's id.", "session-1"),
            *_parameters("limit", "cursor", filters=()),
        ),
        response="The session.",
        responses=(Body((ledger.SessionDetails,), examples.SESSION),),
        errors=(*COMMON, NO_SESSION),
    ),
    Operation(
        method="get",
        path="/api/usage",
        id="usage",
        tag=TAG,
        summary="Sums and percentiles by group",
        description=_USAGE,
        parameters=_parameters("by", "metric", "compare"),
        response="A row for each group, ordered by time, then by cost.",
        responses=(Body((ledger.UsageReport,), examples.USAGE),),
        errors=COMMON,
    ),
    Operation(
        method="get",
        path="/api/routes",
        id="routes",
        tag=TAG,
        summary="The routes, and how their targets are",
        description="Each route with its targets; of each target and key whether it is used or "
        "left alone, what is under way, how fast it was lately and how many attempts failed. As "
        "the worker that answers sees it: workers tell each other what is left alone, and measure "
        "times each for itself.",
        response="The routes.",
        responses=(Body((ledger.RouteStates,), comparison_examples.ROUTES),),
        errors=COMMON,
    ),
    Operation(
        method="get",
        path="/api/routes/{name}/comparison",
        id="compare_targets",
        tag=TAG,
        summary="Compare the targets of a route",
        description="By one metric, with a confidence sequence: what it says holds whenever it is "
        "looked at, in all but 5% of such comparisons. Counted are attempts that ended well; times "
        "are those of first attempts and of copies (`shadow`), and a copy is compared with the "
        f"call that it is a copy of. {VISIBLE}",
        parameters=(
            Parameter("name", "path", "The name of the route.", "smart"),
            Parameter(
                "metric",
                "query",
                f"{', '.join(f'`{name}`' for name in METRICS)}; the cost unless given.",
                "cost",
                required=False,
            ),
            Parameter(
                "targets",
                "query",
                "Only these, separated by commas; the others are compared with the first. Unless "
                "given all, the one with the most calls first.",
                "east/large,west/small",
                required=False,
            ),
            *_parameters(filters=COMPARED),
        ),
        response="The targets, and how each differs from the first.",
        responses=(Body((ledger.TargetComparison,), comparison_examples.COMPARISON),),
        errors=COMMON,
    ),
    Operation(
        method="get",
        path="/api/costs/reconcile",
        id="reconcile_costs",
        tag=TAG,
        summary="Compare computed costs with the provider's",
        description="The attempts for which the provider told its own figure: it is what "
        f"`cost_usd` has, and here the gateway's computation stands beside it. {VISIBLE}",
        parameters=_parameters("limit"),
        response="The largest difference first.",
        responses=(Body((ledger.Reconciled,), examples.RECONCILED),),
        errors=COMMON,
    ),
    Operation(
        method="get",
        path="/api/export",
        id="export",
        tag=TAG,
        summary="Download the records",
        description=_EXPORT,
        parameters=_parameters("format"),
        response="A file.",
        responses=(
            Body((ledger.RecordTable,), (), "text/csv"),
            Body((ledger.RecordLine,), examples.RECORDS, NDJSON),
            Body((ledger.ParquetFile,), (), "application/vnd.apache.parquet"),
        ),
        errors=(*COMMON, NO_FORMAT),
    ),
    Operation(
        method="get",
        path="/api/feedback",
        id="list_feedback",
        tag=TAG,
        summary="List what replies were worth",
        description="The newest first, each with the call that it is about: votes, scores and "
        "comments. With keys of its own a server shows each key what it gave, and those in "
        "`server.admin_keys` all.",
        parameters=(
            Parameter(
                "label", "query", "Only with this label; several mean any.", "right", required=False
            ),
            *_parameters("limit", "cursor", filters=("since", "until")),
        ),
        response="A page.",
        responses=(Body((ledger.FeedbackPage,), examples.FEEDBACK_PAGE),),
        errors=COMMON,
    ),
    Operation(
        method="post",
        path="/api/feedback",
        id="feedback",
        tag=TAG,
        summary="Say what a reply was worth",
        description="The call must be one that the key may see.",
        request=Body((ledger.FeedbackRequest,), examples.FEEDBACK),
        response="The feedback is on disk.",
        responses=(Body((ledger.FeedbackReply,), examples.FEEDBACK_REPLY),),
        errors=(error_examples.UNAUTHORIZED, UNAVAILABLE, NO_CALL, NO_JSON, WRONG_FIELD),
    ),
    Operation(
        method="post",
        path="/api/replay/{id}",
        id="replay",
        tag=TAG,
        summary="Run a recorded request again with other models",
        description=_REPLAY,
        parameters=(_id(CALL_ID, ID),),
        request=Body((replay.ReplayRequest,), replay_examples.REQUEST),
        response="The results in the order of `models`; an error of one of them is its result.",
        responses=(Body((replay.ReplayComparison,), replay_examples.REPLY),),
        errors=(*COMMON, NO_CALL, NOT_KEPT, NO_JSON, NO_MODELS, WRONG_REPLAY),
    ),
    Operation(
        method="get",
        path="/api/v1/generation",
        id="generation",
        tag=TAG,
        summary="What a reply used and cost, as OpenRouter tells it",
        description=_GENERATION,
        parameters=(Parameter("id", "query", CALL_ID, ID),),
        response="The counts, the cost and the times.",
        responses=(Body((ledger.GenerationReply,), examples.GENERATION),),
        errors=(*COMMON, NO_CALL),
    ),
)
