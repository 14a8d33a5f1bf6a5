"""``POST /api/explain``."""

from __future__ import annotations

from headway import errors
from headway.server.api.explain_route import SHORT_NAMES
from headway.server.openapi import error_examples
from headway.server.openapi.error_examples import ErrorExample
from headway.server.openapi.examples import explain as examples
from headway.server.openapi.ledger_operations import NO_JSON
from headway.server.openapi.operation import Body, Operation, Parameter
from headway.server.openapi.schemas import explain, openai

PATH = "/api/explain"
_EXPLAIN = """\
Which target of its route a request would be sent to, and why not to the others; what that would
cost, how the request would be changed for each provider, and what is known of each target at the
moment. Nothing is sent to a provider, and nothing goes on record.

The body is a request in OpenAI's chat format, or in that of the query's `dialect`; or an object
with the request as `body`. Headers that a request reads, such as `x-headway-tags`, are read here,
too. A request that would be refused is refused in the same way."""
WRONG_DIALECT = ErrorExample(
    "There is no such format",
    errors.InvalidField(
        f"`dialect` must be one of {', '.join(SHORT_NAMES)}; or of openai_chat, ...",
        param="dialect",
    ),
)

OPERATIONS = (
    Operation(
        method="post",
        path=PATH,
        id="explain",
        tag="Engine",
        summary="Explain what would happen to a request",
        description=_EXPLAIN,
        parameters=(
            Parameter(
                "dialect",
                "query",
                f"The format of the body: {', '.join(f'`{name}`' for name in SHORT_NAMES)}, or the "
                "full name of one. `chat` by default.",
                "chat",
                required=False,
            ),
        ),
        request=Body((openai.OpenAIRequest, explain.ExplainRequest), examples.REQUESTS),
        response="The explanation.",
        responses=(Body((explain.Explanation,), examples.REPLY),),
        errors=(
            error_examples.UNAUTHORIZED,
            error_examples.UNKNOWN_PROVIDER,
            NO_JSON,
            WRONG_DIALECT,
        ),
    ),
)
