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
_PROVIDERS = """\
What is configured, whether it can be used, which of its keys and targets are left alone and for \
how long, and how its attempts have ended here in the last day. No secrets: of the base address \
only the host, of keys only names. What is left alone is as the worker that answers sees it."""
_CHECK = """\
Asks the provider for its list of models, or for something else that costs nothing, with each of \
its configured keys; no model is ever called. It takes ten seconds at most, and a result is given \
out again for ten seconds. A provider that gives its list to everybody says nothing of the key: \
the status is `unknown` then, as where there is no such request."""
_MODELS = """\
What is known of each model in one flat list, for choosing: prices, context, abilities, and the \
parameters of a form with their ranges. The names of the configuration (`models`) come first: \
aliases as the model that they mean, routes as what their targets can do together. A name with a \
star is left out, as no request has it.

A provider of which no model is known otherwise, such as a server of one's own, is asked for its \
list, and waited for a second at most.

What a model can do is what its provider's adapter and the data bundled with the gateway say. The \
list has an `ETag`: a request with `If-None-Match` gets 304 while nothing has changed."""
WRONG_KIND = ErrorExample(
    "`kind`, `usable` or `live` is wrong",
    errors.RequestError(
        f"`kind` is wrong: it takes {', '.join(KINDS[:-1])} or {KINDS[-1]}.", param="kind"
    ),
)
WRONG_ALL = ErrorExample(
    "`all` is wrong", errors.RequestError("`all` must be 1 or 0.", param="all")
)

OPERATIONS = (
    Operation(
        method="get",
        path="/api/providers",
        id="providers",
        tag=TAG,
        summary="List the providers, and how they are",
        description=_PROVIDERS,
        parameters=(
            Parameter(
                "all",
                "query",
                "`1`: also the providers that can be used only with a key in the request.",
                "1",
                required=False,
            ),
        ),
        response="The providers.",
        responses=(Body((catalog.ProviderList,), examples.PROVIDERS),),
        errors=(error_examples.UNAUTHORIZED, WRONG_ALL),
    ),
    Operation(
        method="post",
        path="/api/providers/{name}/check",
        id="check_provider",
        tag=TAG,
        summary="Check a provider's keys",
        description=_CHECK,
        parameters=(Parameter("name", "path", "The configured name of the provider.", PROVIDER),),
        response="The result, whatever it is.",
        responses=(Body((catalog.ProviderCheck,), examples.CHECKS),),
        errors=(error_examples.UNAUTHORIZED, error_examples.UNKNOWN_PROVIDER),
    ),
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
