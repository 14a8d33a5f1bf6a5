"""The local model's adapter."""

from __future__ import annotations

import pytest
from msgspec import Raw

from headway.providers import KINDS
from headway.providers.local import PROVIDER
from headway.providers.transformations import changes
from headway.types import ChatRequest


def test_the_local_model_needs_a_launcher_but_no_address_and_no_key() -> None:
    assert PROVIDER.launch == "llama"
    assert PROVIDER.base_url is None
    assert PROVIDER.key_env is None
    assert PROVIDER.models == ("smollm2-135m-instruct",)


def request(is_default: bool = False, **parameters: bytes) -> ChatRequest:
    return ChatRequest(
        model="smollm2",
        messages=Raw(b"[]"),
        parameters={name: Raw(value) for name, value in parameters.items()},
        uses_default_parameters=is_default,
    )


def test_a_sampled_model_does_not_repeat_itself_by_default() -> None:
    for asked in (request(), request(top_p=b"1"), request(is_default=True, presence_penalty=b"0")):
        adapted, transformations = PROVIDER.adapt(asked)
        assert bytes(adapted.parameters["repeat_penalty"]) == b"1.1"
        assert adapted.parameters.keys() - {"repeat_penalty"} == asked.parameters.keys()
        assert [str(each) for each in transformations] == [
            "emulated repeat_penalty: as the default 1.1"
        ]
        assert changes(asked, transformations) == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"temperature": b"0"},
        {"temperature": b"0.0"},
        {"repeat_penalty": b"1"},
        {"frequency_penalty": b"0"},
        {"presence_penalty": b"0.5"},
        {"dry_multiplier": b"0.8"},
    ],
    ids=lambda given: "-".join(given),
)
def test_a_penalty_of_the_client_or_temperature_0_is_sent_as_it_is(
    parameters: dict[str, bytes],
) -> None:
    asked = request(**parameters)
    assert PROVIDER.adapt(asked) == (asked, ())


def test_every_provider_is_registered_under_its_name() -> None:
    assert {"openai", "echo", "local"} <= set(KINDS)
    assert all(provider.name == kind for kind, provider in KINDS.items())
