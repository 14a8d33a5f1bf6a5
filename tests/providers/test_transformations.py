from __future__ import annotations

import pytest

from headway.providers.transformations import (
    changes,
    clamped,
    dropped,
    emulated,
    renamed,
    visible_to_client,
)
from headway.types import Transformation
from support.adapter_requests import chat


@pytest.mark.parametrize(
    ("transformation", "text"),
    [
        (dropped("seed", "unsupported by Acme"), "dropped seed: unsupported by Acme"),
        (renamed("stop", "stop_sequences"), "renamed stop -> stop_sequences"),
        (clamped("temperature", 1.4, 1, "maximum"), "clamped temperature: 1.4 -> 1 (maximum)"),
        (emulated("response_format", "as a tool call"), "emulated response_format: as a tool call"),
    ],
)
def test_a_transformation_is_one_line(transformation: Transformation, text: str) -> None:
    assert str(transformation) == text


def test_transformations_of_default_parameters_are_hidden_unless_the_caller_gave_any() -> None:
    made = [dropped("top_p", "unsupported by Acme"), dropped("tools", "unsupported by Acme")]
    assert visible_to_client(chat("m", []), made) == tuple(made)
    assert visible_to_client(chat("m", [], uses_default_parameters=True), made) == (made[1],)


def test_a_default_for_a_parameter_that_was_left_out_is_no_change() -> None:
    request = chat("m", [], response_format={"type": "json_object"}, stop="a")
    told = [
        emulated("max_tokens", "as the default 16384"),
        emulated("response_format", "as an instruction"),
        emulated("messages[].content", "as one string"),
        renamed("stop", "stop_sequences"),
        dropped("messages[].name", "unsupported"),
    ]
    assert changes(request, told) == told[1:]
