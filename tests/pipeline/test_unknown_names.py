"""The errors for providers and models that a gateway does not have."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from headway.errors import MissingProvider
from headway.metering.prices import PriceBook, read_shipped_prices
from headway.pipeline.gateway import Snapshot
from headway.pipeline.unknown_names import MAX_LENGTH, unknown_provider, with_suggestion
from headway.providers import KINDS
from headway.routing.model_aliases import ModelAliases
from support.pipeline_fakes import Pipe

NO_MODELS: Mapping[str, list[str]] = {}
OWN = [kind for kind, one in KINDS.items() if "127.0.0.1" in (one.base_url or "")]


def pipe_with(kind: str) -> Pipe:
    """A gateway on which nobody configured the kind."""
    provider = KINDS[kind]
    pipe = Pipe()
    snapshot = pipe.gateway.snapshot
    absent = replace(
        snapshot.upstreams["openai"],
        name=kind,
        provider=provider,
        base_url=provider.base_url,
        api_key=None,
        needs_key=False,
        lacks_address=True,
    )
    upstreams = {**snapshot.upstreams, kind: absent}
    pipe.gateway.snapshot = replace(snapshot, upstreams=upstreams)
    return pipe


@pytest.mark.parametrize("kind", OWN)
def test_a_server_of_ones_own_that_nobody_configured_is_404_with_the_remedy(kind: str) -> None:
    error = unknown_provider(pipe_with(kind).gateway.snapshot, kind)
    assert (error.status, error.type, error.param) == (404, "not_found_error", "provider")
    assert f"set providers.{kind}.base_url" in error.message
    assert "such as http://HOST:" in error.message
    assert ("OLLAMA_HOST" in error.message) is (kind == "ollama")
    assert error.provider == kind


def snapshot_of(
    *names: str, unlisted: tuple[str, ...] = (), models: Mapping[str, list[str]] = NO_MODELS
) -> Snapshot:
    """A gateway with these providers, each of the kind that it is called by, or of OpenAI's."""
    snapshot = Pipe().gateway.snapshot
    known = snapshot.upstreams["openai"]
    upstreams = {
        name: replace(
            known,
            name=name,
            provider=KINDS.get(name, KINDS["openai"]),
            models=tuple(models.get(name, ())),
        )
        for name in (*names, *unlisted)
    }
    prices = PriceBook.load(read_shipped_prices())
    return replace(snapshot, upstreams=upstreams, unlisted=frozenset(unlisted), prices=prices)


def test_an_unknown_provider_is_404_naming_what_can_be_used() -> None:
    error = unknown_provider(snapshot_of("openai", "echo", "mine"), "nobody")
    assert (error.status, error.param) == (404, "provider")
    assert error.message == "No provider is called 'nobody'; configured are: echo, mine, openai."


def test_the_others_are_counted_as_known_but_not_named() -> None:
    snapshot = snapshot_of("echo", unlisted=("openai",))
    assert unknown_provider(snapshot, "nobody").message == (
        "No provider is called 'nobody'; configured are: echo. Others can be called with a key of "
        "your own: GET /api/engine/providers?all=1 lists them."
    )
    assert "configured are: none." in unknown_provider(snapshot_of(), "nobody").message


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("opnai", "openai"),
        ("OpenAI", "openai"),
        ("open-ai", "openai"),
        ("openai_response", "openai_responses"),
        ("antropic", "anthropic"),
        ("Anthropic", "anthropic"),
        ("mistralai", "mistral"),
        ("gpu1", "gpu-1"),
    ],
)
def test_a_similar_name_is_suggested(name: str, meant: str) -> None:
    snapshot = snapshot_of(
        "openai", "openai_responses", "mistral", "gpu-1", unlisted=("anthropic",)
    )
    message = unknown_provider(snapshot, name).message
    assert f"; did you mean {meant}? Configured are: gpu-1, mistral, openai, " in message


def test_what_is_not_served_is_not_suggested() -> None:
    assert "did you mean" not in unknown_provider(snapshot_of("echo"), "opnai").message


def test_a_kind_that_is_not_served_is_told_so() -> None:
    for name in ("anthropic", "azure", "vllm"):
        assert unknown_provider(snapshot_of("echo", "openai"), name).message == (
            f"{name} is not among the providers that this gateway serves (providers.only); "
            "configured are: echo, openai."
        )


def test_a_models_own_slash_is_recognized() -> None:
    snapshot = snapshot_of("openai", "gpu", models={"gpu": ["meta-llama/llama-3", "b"]})
    error = unknown_provider(snapshot, "meta-llama", "llama-3")
    assert "; did you mean gpu/meta-llama/llama-3? Configured are:" in error.message
    assert "did you mean" not in unknown_provider(snapshot, "meta-llama", "llama-4").message


def test_a_long_name_is_cut_and_not_compared() -> None:
    message = unknown_provider(snapshot_of("openai"), "openai" * 1000).message
    assert len(message) < MAX_LENGTH + 100
    assert "did you mean" not in message


def suggested(model: str, snapshot: Snapshot) -> str:
    error = MissingProvider("It must be provider/model.", param="model")
    error.model = model
    return with_suggestion(error, snapshot).message


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("gpt-4o", "did you mean openai/gpt-4o or openai_responses/gpt-4o?"),
        ("gpt-4oo", "did you mean openai/gpt-4o, openai/gpt-4 or "),
        ("echo", "did you mean echo/echo?"),
        ("my-model", "did you mean mine/my-model?"),
        ("my-modle", "did you mean mine/my-model?"),
        ("My-Model", "did you mean mine/my-model?"),
    ],
)
def test_a_model_without_a_provider_gets_the_providers_that_have_it(model: str, hint: str) -> None:
    snapshot = snapshot_of(
        "openai", "openai_responses", "echo", "mine", models={"mine": ["my-model"]}
    )
    assert suggested(model, snapshot).startswith(f"It must be provider/model; {hint}")


def test_names_of_the_configuration_are_suggested_first() -> None:
    names = ModelAliases.from_table({"smart": "openai/gpt-4o", "gpt-4-safe": "openai/gpt-4"})
    snapshot = replace(snapshot_of("openai"), aliases=names)
    assert suggested("smrt", snapshot) == "It must be provider/model; did you mean smart?"
    assert ("did you mean gpt-4-safe" in suggested("gpt-4-saef", snapshot)) is True


@pytest.mark.parametrize("model", ["", "zz", "claude-sonnet-4-5", "x" * 5000])
def test_without_a_similar_model_nothing_is_suggested(model: str) -> None:
    snapshot = snapshot_of("openai", unlisted=("anthropic",))
    assert suggested(model, snapshot) == "It must be provider/model."


def test_a_call_gets_the_suggestion() -> None:
    pipe = Pipe()
    pipe.gateway.snapshot = snapshot_of("mine", models={"mine": ["my-model"]})
    pipe.ask_openai(model="my-modle")
    assert pipe.sink.status == 422
    assert b"did you mean mine/my-model?" in pipe.sink.body
