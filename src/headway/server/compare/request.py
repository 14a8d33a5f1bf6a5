"""The body of ``POST /api/compare``: that of ``POST /v1/chat/completions``, but ``models`` for
``model``.

``models`` is a list of names, or of objects with a name and the fields that replace those of the
body for this model; null removes a field. ``runs`` says how many times each of them is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.dialects.base import (
    KEY_HEADER,
    MODEL,
    STREAM,
    ClientRequest,
    decode_object,
    field,
    read_key_header,
    split_model,
)
from headway.dialects.openai.chat import STREAM_OPTIONS, OpenAIChat
from headway.errors import InvalidField
from headway.types import Headers

MAX_MODELS = 20
MAX_RUNS = 10
Fields = Mapping[str, Raw]

MODELS = field(
    "models",
    list[str | dict[str, Raw]],
    f"a list of 1 to {MAX_MODELS} names, or of objects with a `model` and the fields that replace "
    "those of the body for it",
)
RUNS = field("runs", int | None, f"a whole number from 1 to {MAX_RUNS}")
OWN = ("models", "runs", "stream")
"""Fields of this route, which no model has for itself."""
TRUE, NULL = Raw(b"true"), b"null"

_encode = msgspec.json.Encoder().encode


class LaneRequest(Struct, frozen=True):
    """What one lane asks."""

    model: str
    """As it was asked for."""
    run: int
    """Counts the lanes of one entry of ``models`` from 0."""
    fields: Fields
    """Those that it does not share with the other lanes; null removes one."""


class ComparisonRequest(Struct, frozen=True):
    """What a client asks to compare."""

    shared: Fields
    lanes: tuple[LaneRequest, ...]

    def body_of(self, lane: LaneRequest) -> bytes:
        """The body of ``POST /v1/chat/completions`` that asks what ``lane`` asks."""
        return encode_body(self.shared, lane.model, lane.fields)


class ComparisonBody:
    """Decodes it, as a dialect decodes a body."""

    def decode(self, client_request: ClientRequest) -> ComparisonRequest:
        """Raises InvalidBody, InvalidField: what is wrong for each of the models."""
        fields = decode_object(client_request.body)
        if "model" in fields:
            message = "`model` is no field here: name one or several in the list `models`."
            raise InvalidField(message, param="model")
        entries = [_read_entry(entry, at) for at, entry in enumerate(_read_models(fields))]
        runs = _read_runs(fields)
        if STREAM.read(fields) is False:
            message = "`stream` must be true, or absent: this route has no other answer."
            raise InvalidField(message, param="stream")
        shared = {name: raw for name, raw in fields.items() if name not in OWN}
        _check_key(client_request.headers, [model for model, _ in entries])
        _check_shared(shared, entries)
        lanes = [
            LaneRequest(model, run, replaced) for model, replaced in entries for run in range(runs)
        ]
        return ComparisonRequest(shared, tuple(lanes))


def encode_body(shared: Fields, model: str, replaced: Fields) -> bytes:
    fields: dict[str, Any] = {n: raw for n, raw in shared.items() if n not in replaced}
    fields |= {name: raw for name, raw in replaced.items() if bytes(raw) != NULL}
    options = _with_usage(fields.get("stream_options", Raw(NULL)))
    return _encode({**fields, "model": model, "stream": TRUE, "stream_options": options})


def _with_usage(options: Raw) -> Any:
    """``stream_options`` that ask for the usage. What is no object stays as it is: the dialect
    refuses it."""
    try:
        given = STREAM_OPTIONS.read({STREAM_OPTIONS.name: options})
    except InvalidField:
        return options
    return {**(given or {}), "include_usage": True}


def _read_models(fields: Fields) -> list[str | dict[str, Raw]]:
    models: list[str | dict[str, Raw]] = MODELS.require(fields)
    if not 1 <= len(models) <= MAX_MODELS:
        raise MODELS.invalid()
    return models


def _read_entry(entry: str | dict[str, Raw], at: int) -> tuple[str, Fields]:
    """The name of a model and its own fields."""
    if isinstance(entry, str):
        return entry, {}
    path = f"models[{at}]"
    try:
        model: str = MODEL.require(entry)
    except InvalidField as error:
        message = error.message.replace("`model`", f"`{path}.model`")
        raise InvalidField(message, param=f"{path}.model") from None
    for name in OWN:
        if name in entry:
            message = f"`{path}.{name}` is no field of one model; it is one of the whole body."
            raise InvalidField(message, param=f"{path}.{name}")
    return model, {name: raw for name, raw in entry.items() if name != "model"}


def _read_runs(fields: Fields) -> int:
    runs: int | None = RUNS.read(fields)
    if runs is None:
        return 1
    if not 1 <= runs <= MAX_RUNS:
        raise RUNS.invalid()
    return runs


def _check_key(headers: Headers, models: list[str]) -> None:
    """The client's own key for a provider must not be sent to another one."""
    if read_key_header(headers) is None:
        return
    if len({split_model(model)[0] or model for model in models}) > 1:
        message = (
            f"`{KEY_HEADER}` is a key for one provider, and `models` names several: all of them "
            "would get it."
        )
        raise InvalidField(message, param=KEY_HEADER)


def _check_shared(shared: Fields, entries: list[tuple[str, Fields]]) -> None:
    """Raise what is wrong for all models: what no model replaces with a field of its own."""
    request = ClientRequest("", (), encode_body(shared, entries[0][0], {}))
    try:
        OpenAIChat().decode(request)
    except InvalidField as error:
        name = (error.param or "").partition(".")[0].partition("[")[0]
        if not all(name in replaced for _, replaced in entries):
            raise
