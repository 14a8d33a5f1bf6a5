from __future__ import annotations

import pytest

from headway.providers import KINDS
from headway.providers.base import unchanged
from support.adapter_requests import chat

# kind, model, the names of the parameters that it accepts
PARAMETERS = [
    ("openai", None, ["temperature", "max_tokens", "top_p", "frequency_penalty",
                      "presence_penalty"]),
    ("openai", "gpt-4o", ["temperature", "max_tokens", "top_p", "frequency_penalty",
                          "presence_penalty"]),
    ("openai", "o3", ["max_completion_tokens"]),
    ("deepinfra", "m", ["temperature", "max_tokens", "top_p", "frequency_penalty",
                        "presence_penalty"]),
    ("groq", "m", ["temperature", "max_tokens", "top_p"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "model", "names"), PARAMETERS)
def test_the_parameters_of_a_model_are_those_that_it_accepts(
    kind: str, model: str | None, names: list[str]
) -> None:
    assert [one.id for one in KINDS[kind].parameters_of(model)] == names


def test_a_request_is_adapted_to_itself_by_default() -> None:
    request = chat("m", [])
    assert unchanged(request) == (request, ())
