"""A target that a call may be sent to, and the call's request as that target gets it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.dialects.base import NULL, DecodedRequest, Dialect, ResponseContext
from headway.errors import InvalidField, RequestError
from headway.pipeline.gateway import Snapshot, Upstream, UpstreamKey
from headway.pipeline.provider_calls import select_wire_format
from headway.pipeline.unknown_names import unknown_provider
from headway.routing.route import Route, RouteTarget
from headway.types import ChatRequest, HttpRequest, RelayedRequest, Request, Target

EMPTY = Raw(b"{}")
_encode = msgspec.json.Encoder().encode
_decode_object = msgspec.json.Decoder(dict[str, Raw]).decode


class Candidate:
    """What is prepared for one target of one call is used for all attempts on it."""

    __slots__ = (
        "context",
        "decoded",
        "failures",
        "http_request",
        "http_target",
        "id",
        "is_prepared",
        "key",
        "target",
        "tried_keys",
        "upstream",
    )

    def __init__(self, target: RouteTarget, upstream: Upstream, decoded: DecodedRequest) -> None:
        """``decoded`` is the request with the provider and the model of the target."""
        self.target = target
        self.id = target.id
        self.upstream = upstream
        self.decoded = decoded
        self.context: ResponseContext | None = None
        """None until the request is adapted to the provider."""
        self.is_prepared = False
        """It is, or must first be completed with earlier turns (``history``)."""
        self.http_target: Target | None = None
        self.http_request: HttpRequest | None = None
        self.key: UpstreamKey | None = None
        """The key in ``http_target``, if the provider has several."""
        self.tried_keys: list[str] = []
        """The ids of those that failed."""
        self.failures = 0

    @property
    def has_clients_key(self) -> bool:
        """The client sent a key, or another address: what it meets there says nothing about the
        target."""
        return bool(self.decoded.api_key or self.decoded.base_url)


def new_candidate(
    snapshot: Snapshot, target: RouteTarget, decoded: DecodedRequest, dialect: Dialect
) -> Candidate:
    """``decoded`` is the client's request, of ``dialect``. Raises RequestError."""
    upstream = snapshot.upstreams.get(target.provider)
    if upstream is None or upstream.lacks_address:
        raise unknown_provider(snapshot, target.provider, target.model)
    request = decoded.request
    if request.native is not None:
        upstream = select_wire_format(upstream, request.native.wire, target.model)
    request = replace(request, model=target.model)
    if target.parameters:
        request = with_parameters(request, target.parameters, dialect.parameter_paths)
    return Candidate(target, upstream, replace(decoded, provider=target.provider, request=request))


def with_parameters(
    request: Request, parameters: Mapping[str, Raw], paths: Mapping[str, str]
) -> Request:
    """``request`` with ``parameters`` in place of its own; null removes one. ``paths`` as of
    ``Dialect.parameter_paths``. Raises RequestError."""
    native = request.native
    if native is not None:
        fields = _merged(native.fields, parameters, paths)
        return replace(request, native=replace(native, fields=fields))
    if isinstance(request, RelayedRequest) and request.form is not None:
        names = ", ".join(parameters)
        raise RequestError(f"Its route replaces {names}, and the request is a form.", param="model")
    merged = _merged(request.parameters, parameters, {})
    if isinstance(request, ChatRequest):
        return replace(request, parameters=merged, uses_default_parameters=False)
    return replace(request, parameters=merged)


def _merged(
    own: Mapping[str, Raw], parameters: Mapping[str, Raw], paths: Mapping[str, str]
) -> dict[str, Raw]:
    merged = dict(own)
    for name, value in parameters.items():
        _set(merged, paths.get(name, name), value)
    return merged


def _set(fields: dict[str, Raw], name: str, value: Raw) -> None:
    """``name`` may be a path: a field of an object that is a field."""
    outer, dot, inner = name.partition(".")
    if not dot:
        if bytes(value) == NULL:
            fields.pop(name, None)
        else:
            fields[name] = value
        return
    try:
        nested = _decode_object(fields.get(outer, EMPTY))
    except msgspec.MsgspecError:
        nested = {}
    _set(nested, inner, value)
    fields[outer] = Raw(_encode(nested))


def check_is_for_route(route: Route, decoded: DecodedRequest) -> None:
    """Raises InvalidField for a key or an address that the client sent: it does not say for which
    of the targets."""
    for name, given in (
        (decoded.key_field, decoded.api_key),
        ("base_url", decoded.base_url),
        ("api_version", decoded.options),
    ):
        if given:
            raise InvalidField(
                f"`{name}` goes with the model of one provider, and {route.name!r} is a route to "
                "several: leave it out, or name the provider's model.",
                param=name,
            )
