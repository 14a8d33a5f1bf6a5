"""The routes on which clients of LiteLLM's proxy read spend."""

from __future__ import annotations

from headway import errors
from headway.server.openapi import error_examples
from headway.server.openapi.error_examples import ErrorExample
from headway.server.openapi.examples import spend as examples
from headway.server.openapi.examples.base import Example
from headway.server.openapi.ledger_operations import NO_JSON, UNAVAILABLE, VISIBLE
from headway.server.openapi.operation import Body, Operation, Parameter
from headway.server.openapi.schemas import spend
from headway.server.openapi.schemas.base import Shape

TAG = "LiteLLM"
RECENT = "Of the last thirty days."
_DATES = (
    Parameter("start_date", "query", "The first day, in UTC.", "2026-11-01", required=False),
    Parameter("end_date", "query", "The last day, in UTC.", "2026-11-30", required=False),
)
_KEY = Parameter(
    "api_key",
    "query",
    "Of one key: the key, its SHA-256, or the first eight hex digits of that.",
    "2bb80d53",
    required=False,
)
WRONG_DATE = ErrorExample(
    "A parameter is wrong",
    errors.RequestError("`start_date` must be a date, YYYY-MM-DD.", param="start_date"),
)
WRONG_NAME = ErrorExample(
    "There is no such parameter",
    errors.RequestError("There is no parameter `team_id` here; there are: none.", param="team_id"),
)
WRONG_LIMIT = ErrorExample(
    "A parameter is wrong",
    errors.RequestError("`limit` must be a whole number from 1 to 1000.", param="limit"),
)
WRONG_FIELD = ErrorExample(
    "A field has another type",
    errors.InvalidField("`api_key` must be a text or null.", param="api_key"),
)
_ERRORS = (error_examples.UNAUTHORIZED, UNAVAILABLE)


def _read(
    path: str,
    summary: str,
    models: tuple[type[Shape], ...],
    answers: tuple[Example, ...],
    *parameters: Parameter,
    description: str = RECENT,
    wrong: ErrorExample = WRONG_NAME,
    is_list: bool = True,
) -> Operation:
    return Operation(
        method="get",
        path=path,
        id=path.strip("/").replace("/", "_"),
        tag=TAG,
        summary=summary,
        description=f"For clients of LiteLLM's proxy. {description} {VISIBLE}",
        parameters=parameters,
        response="The spend, the highest first." if is_list else "The spend.",
        responses=(Body(models, answers, is_list=is_list),),
        errors=(wrong, *_ERRORS),
    )


def _limit(default: str) -> Parameter:
    return Parameter("limit", "query", f"The most rows; {default}.", "10", required=False)


OPERATIONS = (
    _read(
        "/spend/logs",
        "Calls, or their sums by day",
        (spend.SpendLog, spend.SpendDay),
        examples.LOGS,
        Parameter("request_id", "query", "The `id` of a reply.", "chatcmpl-1", required=False),
        _KEY,
        Parameter("user_id", "query", "Of one end user.", "user-7", required=False),
        *_DATES,
        Parameter(
            "summarize", "query", "`false`: calls, also with both dates.", "false", required=False
        ),
        description="With both dates the sums of each day, else the newest calls, at most 1000; "
        "`GET /api/export` has all of them.",
        wrong=WRONG_DATE,
    ),
    _read(
        "/spend/tags",
        "Spend by tag",
        (spend.SpendOfRequestTag,),
        examples.REQUEST_TAGS,
        *_DATES,
        description="Of the last thirty days, unless dates are given.",
        wrong=WRONG_DATE,
    ),
    _read("/global/spend", "The total spend", (spend.SpendTotal,), examples.TOTAL, is_list=False),
    _read("/global/spend/logs", "Spend by day", (spend.SpendDate,), examples.DAYS, _KEY),
    _read(
        "/global/spend/keys",
        "Spend by key",
        (spend.SpendOfKey,),
        examples.KEYS,
        _limit("1000 unless given"),
        wrong=WRONG_LIMIT,
    ),
    _read(
        "/global/spend/models",
        "Spend by model",
        (spend.SpendOfModel,),
        examples.MODELS,
        _limit("10 unless given"),
        wrong=WRONG_LIMIT,
    ),
    _read(
        "/global/spend/provider",
        "Spend by provider",
        (spend.SpendOfProvider,),
        examples.PROVIDERS,
        *_DATES,
        description="Of the last thirty days, unless dates are given.",
        wrong=WRONG_DATE,
    ),
    _read(
        "/global/spend/tags",
        "Spend of tags",
        (spend.SpendOfTags,),
        examples.TAGS,
        *_DATES,
        Parameter("tags", "query", "Tags, with commas between.", "team:search", required=False),
        description="Of the last thirty days, unless dates are given.",
        wrong=WRONG_DATE,
        is_list=False,
    ),
    _read(
        "/global/spend/all_tag_names",
        "The names of the tags",
        (spend.TagNames,),
        examples.TAG_NAMES,
        is_list=False,
    ),
    Operation(
        method="post",
        path="/global/spend/end_users",
        id="global_spend_end_users",
        tag=TAG,
        summary="Spend by end user",
        description="For clients of LiteLLM's proxy: the hundred with the highest spend. Of the "
        f"last thirty days, unless the body says otherwise. {VISIBLE}",
        request=Body((spend.EndUsersQuestion,), examples.QUESTION),
        response="The spend, the highest first.",
        responses=(Body((spend.SpendOfEndUser,), examples.END_USERS, is_list=True),),
        errors=(WRONG_DATE, NO_JSON, WRONG_FIELD, *_ERRORS),
    ),
)
