"""The operations that pass requests through to a provider's own API."""

from __future__ import annotations

from headway.server.openapi import error_examples
from headway.server.openapi.examples.base import PROVIDER, Example
from headway.server.openapi.operation import Body, Operation, Parameter
from headway.server.openapi.response_headers import OWN_REQUEST_ID
from headway.server.openapi.schemas.base import AnyBody

_DESCRIPTION = """\
Any method and any path of the provider's API, as that describes it: the request goes there as it \
is, with the gateway's key, and the answer comes back as it is, streamed. A `GET` may open a \
WebSocket. Gateway keys, limits, timeouts and records apply as on all routes. \
`server.passthrough: false` switches these routes off."""
_PARAMETERS = (
    Parameter("name", "path", "The configured name of the provider.", PROVIDER),
    Parameter("path", "path", "The path of the provider's API, which may have slashes.", "files"),
)
_OBJECTS = (Example("The body of the provider's API", {"object": "list", "data": []}),)


def _operation(method: str, request: Body | None) -> Operation:
    return Operation(
        method=method,
        path="/providers/{name}/{path}",
        id=f"native_{method}",
        tag="Pass-through",
        summary=f"{method.upper()} of a provider's own API",
        description=_DESCRIPTION,
        parameters=_PARAMETERS,
        request=request,
        response="What the provider answered, with its own status and media type.",
        responses=(Body((AnyBody,), _OBJECTS),),
        headers=OWN_REQUEST_ID,
        errors=(
            error_examples.NO_NATIVE_API,
            error_examples.UNAUTHORIZED,
            error_examples.UNKNOWN_PROVIDER,
        ),
    )


OPERATIONS = (
    _operation("get", None),
    _operation("post", Body((AnyBody,), _OBJECTS)),
    _operation("delete", None),
)
