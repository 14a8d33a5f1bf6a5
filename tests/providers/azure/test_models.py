"""The model behind a deployment."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from headway.providers.azure import openai_responses as azure_openai_responses
from headway.providers.azure.openai import PROVIDER
from headway.types import (
    ChatRequest,
)

HELLO = Raw(b'[{"role":"user","content":"Hello"}]')


def test_the_deployment_or_the_configuration_names_the_model() -> None:
    given = {"max_tokens": Raw(b"9")}
    request = ChatRequest(model="o3-mini", messages=HELLO, parameters=given)
    for asked, renamed in (
        (request, True),
        (msgspec.structs.replace(request, model="smart"), False),
        (msgspec.structs.replace(request, model="smart", options={"model_name": "o3"}), True),
        (msgspec.structs.replace(request, options={"model_name": "gpt-4o"}), False),
    ):
        for provider in (PROVIDER, azure_openai_responses.PROVIDER):
            adapted, _ = provider.adapt(asked)
            assert adapted.model == asked.model
        adapted, transformations = PROVIDER.adapt(asked)
        assert ("max_completion_tokens" in adapted.parameters) is renamed
        assert [change.action for change in transformations] == ["renamed"] * renamed
