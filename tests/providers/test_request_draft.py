"""The draft in which an adapter converts a request's parameters."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.errors import RequestError
from headway.providers.request_draft import RequestDraft, convert_request
from headway.types import ChatRequest


def request(**parameters: Any) -> ChatRequest:
    return ChatRequest(
        model="m",
        messages=Raw(b"[]"),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in parameters.items()},
        uses_default_parameters="top_p" in parameters,
    )


def convert(draft: RequestDraft) -> None:
    draft.remove_defaults({"n": (1,), "store": (False,)})
    draft.drop("user", "unsupported by X")
    draft.drop("seed", "unsupported by X")
    draft.note_renamed("stop", "stop_sequences")
    draft.note_clamped("temperature", 1.4, 1, "maximum")
    draft.note_emulated("response_format", "as a tool call")
    draft.put("stop_sequences", [draft.take("stop")])


def test_each_step_changes_the_parameters_and_notes_its_transformations() -> None:
    given = request(stop="a", n=1, store=True, user="u", seed=None)
    converted, transformations = convert_request(given, (convert,))
    kept = {name: json.loads(bytes(raw)) for name, raw in converted.parameters.items()}
    assert kept == {"store": True, "stop_sequences": ["a"]}
    assert [str(each) for each in transformations] == [
        "dropped user: unsupported by X",
        "renamed stop -> stop_sequences",
        "clamped temperature: 1.4 -> 1 (maximum)",
        "emulated response_format: as a tool call",
    ]


def test_transformations_of_default_parameters_are_not_shown() -> None:
    _, transformations = convert_request(request(top_p=1), (convert,))
    assert [each.parameter for each in transformations] == ["stop", "response_format"]


@pytest.mark.parametrize("error", [LookupError, TypeError, AttributeError, RecursionError])
def test_a_value_of_the_wrong_shape_is_an_error_of_the_caller(error: type[Exception]) -> None:
    def fail(draft: RequestDraft) -> None:
        raise error("odd")

    with pytest.raises(RequestError, match="no request in OpenAI's chat format"):
        convert_request(request(), (fail,))
