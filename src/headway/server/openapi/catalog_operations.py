"""The lists of models and providers for people who choose one."""

from __future__ import annotations

from headway import errors
from headway.server.api.model_list_route import KINDS
from headway.server.openapi import error_examples
from headway.server.openapi.error_examples import ErrorExample
from headway.server.openapi.examples import catalog as examples
from headway.server.openapi.examples.base import PROVIDER
from headway.server.openapi.operation import Body, Operation, Parameter
from headway.server.openapi.schemas import catalog

TAG = "Engine"
_MODELS = """\
What is known of each model in one flat list, for choosing: prices, context, abilities, and the \
parameters of a form with their ranges. The names of the configuration (`models`) come first: \
aliases as the model that they mean, routes as what their targets can do together. A name with a \
star is left out, as no request has it.

What a model can do is what its provider's adapter and the data bundled with the gateway say. The \
list has an `ETag`: a request with `If-None-Match` gets 304 while nothing has changed."""
WRONG_KIND = ErrorExample(
    "`kind`, `usable` or `live` is wrong",
    errors.RequestError(
        f"`kind` is wrong: it takes {', '.join(KINDS[:-1])} or {KINDS[-1]}.", param="kind"
    ),
)

OPERATIONS = (
    Operation(
        method="get",
        path="/api/models",
        id="models",
        tag=TAG,
        summary="List all models with all that is known of them",
        description=_MODELS,
        parameters=(
            Parameter(
                "usable",
                "query",
                "`1`: only models for which the gateway has a key or credentials, or needs none; "
                "`0`: only the other models.",
                "1",
                required=False,
            ),
            Parameter(
                "provider",
                "query",
                "Only this provider's models, and aliases of them.",
                PROVIDER,
                required=False,
            ),
            Parameter(
                "kind",
                "query",
                f"Only models of this kind: {', '.join(f'`{kind}`' for kind in KINDS)}.",
                "chat",
                required=False,
            ),
            Parameter(
                "live",
                "query",
                "`1`: fetch the providers' own lists, as `/api/engine/models` does.",
                "1",
                required=False,
            ),
        ),
        response="The models.",
        responses=(Body((catalog.ModelList,), examples.MODELS),),
        errors=(error_examples.UNAUTHORIZED, error_examples.UNKNOWN_PROVIDER, WRONG_KIND),
    ),
)
