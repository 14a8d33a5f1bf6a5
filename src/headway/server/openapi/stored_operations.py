"""The routes on which clients ask again for replies that the ledger keeps."""

from __future__ import annotations

from headway import errors
from headway.server.openapi import error_examples
from headway.server.openapi.error_examples import ErrorExample
from headway.server.openapi.examples import openai as openai_examples
from headway.server.openapi.examples import responses as examples
from headway.server.openapi.examples.base import PROVIDER
from headway.server.openapi.operation import Body, Operation, Parameter
from headway.server.openapi.schemas import openai, responses

TAG = "OpenAI"
STORED = """\
Of the same key, where the gateway keeps content (`ledger.content: full`) and the request had no \
`store: false`."""
STORED_COMPLETION = """\
Of the same key, where the gateway keeps content (`ledger.content: full`) and the request had \
`store: true`."""
PAGE = (
    Parameter("limit", "query", "Items of a page, 1 to 100.", "20", required=False),
    Parameter("order", "query", "`desc`, the newest first, or `asc`.", "asc", required=False),
    Parameter("after", "query", "The `last_id` of the page before.", "msg_1", required=False),
)
RESPONSE_ID = Parameter("id", "path", "The `id` of the response.", "resp_0b0a4fd193b54c3e")
NO_RESPONSE = ErrorExample(
    "There is no such response, or it is not the key's",
    errors.NotFound(
        "Response with id 'resp_0b0a4fd193b54c3e' not found.",
        param="response_id",
        code="response_not_found",
    ),
)
UNAVAILABLE = ErrorExample(
    "The database cannot be used now",
    errors.LedgerUnavailable(
        "The ledger cannot be read now: the server at db:5432 does not answer.", retry_after_s=5.0
    ),
)
WRONG_PAGE = ErrorExample(
    "A parameter is wrong",
    errors.InvalidField("`limit` must be a whole number from 1 to 100.", param="limit", status=400),
)
_RESPONSE_ERRORS = (error_examples.UNAUTHORIZED, NO_RESPONSE, UNAVAILABLE)
_RESPONSES = (
    Operation(
        method="get",
        path="/v1/responses/{id}",
        id="stored_response",
        tag=TAG,
        summary="A stored response",
        description=STORED,
        parameters=(RESPONSE_ID,),
        response="The response, as its own request got it.",
        responses=(Body((responses.ResponsesReply,), examples.STORED_RESPONSES),),
        errors=_RESPONSE_ERRORS,
    ),
    Operation(
        method="delete",
        path="/v1/responses/{id}",
        id="delete_response",
        tag=TAG,
        summary="Delete a stored response",
        description="Also deletes the messages of its call from the ledger; the record stays.",
        parameters=(RESPONSE_ID,),
        response="It is deleted.",
        responses=(Body((responses.DeletedResponse,), examples.DELETED_RESPONSE),),
        errors=_RESPONSE_ERRORS,
    ),
    Operation(
        method="get",
        path="/v1/responses/{id}/input_items",
        id="input_items",
        tag=TAG,
        summary="The input of a stored response",
        description=f"The items of the whole conversation up to the response. {STORED}",
        parameters=(RESPONSE_ID, *PAGE),
        response="A page of items.",
        responses=(Body((responses.InputItems,), examples.INPUT_ITEMS),),
        errors=(WRONG_PAGE, *_RESPONSE_ERRORS),
    ),
)
COMPLETION_ID = Parameter("id", "path", "The `id` of the completion.", "chatcmpl-1")
NO_COMPLETION = ErrorExample(
    "There is no such completion, or it is not the key's",
    errors.NotFound(
        "Chat completion with id 'chatcmpl-1' not found.",
        param="completion_id",
        code="completion_not_found",
    ),
)
_COMPLETION_ERRORS = (error_examples.UNAUTHORIZED, NO_COMPLETION, UNAVAILABLE)
WRONG_METADATA = ErrorExample(
    "The metadata are wrong",
    errors.InvalidField(
        "`metadata` must be null, or an object of at most 16 texts: names up to 64 characters, "
        "values up to 512.",
        param="metadata",
        status=400,
    ),
)
_COMPLETIONS = (
    Operation(
        method="get",
        path="/v1/chat/completions",
        id="stored_completions",
        tag=TAG,
        summary="Stored chat completions",
        description=f"In the order of their times. {STORED_COMPLETION}",
        parameters=(
            *PAGE[:2],
            Parameter("after", "query", "The `last_id` of the page before.", "chatcmpl-1", False),
            Parameter(
                "model",
                "query",
                "The model, as the completion or its request names it.",
                f"{PROVIDER}/gpt-4.1",
                False,
            ),
            Parameter(
                "metadata[name]",
                "query",
                "What the metadata have under `name`; may be repeated with other names.",
                "search",
                False,
            ),
        ),
        response="A page of completions, the oldest first by default.",
        responses=(Body((openai.StoredCompletions,), openai_examples.STORED_COMPLETIONS),),
        errors=(WRONG_PAGE, error_examples.UNAUTHORIZED, UNAVAILABLE),
    ),
    Operation(
        method="post",
        path="/v1/chat/completions/{id}",
        id="update_completion",
        tag=TAG,
        summary="Change the metadata of a stored chat completion",
        description=f"The new ones replace all. {STORED_COMPLETION}",
        parameters=(COMPLETION_ID,),
        request=Body((openai.CompletionUpdate,), openai_examples.COMPLETION_UPDATE),
        response="The completion, whole.",
        responses=(Body((openai.StoredCompletion,), openai_examples.STORED_COMPLETION),),
        errors=(WRONG_METADATA, *_COMPLETION_ERRORS),
    ),
    Operation(
        method="get",
        path="/v1/chat/completions/{id}",
        id="stored_completion",
        tag=TAG,
        summary="A stored chat completion",
        description=STORED_COMPLETION,
        parameters=(COMPLETION_ID,),
        response="The completion, whole.",
        responses=(Body((openai.StoredCompletion,), openai_examples.STORED_COMPLETION),),
        errors=_COMPLETION_ERRORS,
    ),
    Operation(
        method="delete",
        path="/v1/chat/completions/{id}",
        id="delete_completion",
        tag=TAG,
        summary="Delete a stored chat completion",
        description="Also deletes the messages of its call from the ledger; the record stays.",
        parameters=(COMPLETION_ID,),
        response="It is deleted.",
        responses=(Body((openai.DeletedCompletion,), openai_examples.DELETED_COMPLETION),),
        errors=_COMPLETION_ERRORS,
    ),
    Operation(
        method="get",
        path="/v1/chat/completions/{id}/messages",
        id="completion_messages",
        tag=TAG,
        summary="The messages of a stored chat completion",
        description=f"Those of the request. {STORED_COMPLETION}",
        parameters=(COMPLETION_ID, *PAGE),
        response="A page of messages, the oldest first by default.",
        responses=(Body((openai.CompletionMessages,), openai_examples.COMPLETION_MESSAGES),),
        errors=(WRONG_PAGE, *_COMPLETION_ERRORS),
    ),
)
OPERATIONS = (*_RESPONSES, *_COMPLETIONS)
