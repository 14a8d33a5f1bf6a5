"""Hosts of open models that speak OpenAI's wire, routers, clouds, and servers of one's own."""

from __future__ import annotations

from headway.providers import listing, openai_quirks
from headway.providers.changes import Limits
from headway.providers.compatible_row import (
    BASIC,
    OPEN_MODELS,
    PENALTIES,
    RENAMED,
    SERVED,
    UNDERSTOOD,
    Place,
    Row,
)
from headway.providers.compatible_rules import Rules

AI21 = Rules(
    limits=Limits(
        dropped=dict.fromkeys(
            (*PENALTIES, "logit_bias", "logprobs", "top_logprobs"), "AI21 does not know it"
        ),
        renamed=RENAMED,
    )
)

HOSTS = (
    Row(
        kind="sambanova",
        features={**BASIC, "images": "native", "json_schema": "native", "embeddings": "native"},
    ),
    Row(
        kind="deepinfra",
        features=SERVED,
    ),
    Row(
        kind="nvidia_nim",
        features=SERVED,
    ),
    Row(
        kind="huggingface",
        readers=(openai_quirks.x_groq, openai_quirks.finish_at_done),
        embeddings=False,
        features=OPEN_MODELS,
    ),
    Row(
        kind="github_models",
        list_models=listing.GITHUB,
        rules=Rules(messages=UNDERSTOOD),
        features={**BASIC, "images": "native", "json_schema": "native", "embeddings": "native"},
    ),
    Row(
        kind="nebius",
        features=SERVED,
    ),
    Row(
        kind="novita",
        price_id="novita",
        features=SERVED,
    ),
    Row(
        kind="hyperbolic",
        embeddings=False,
        features=OPEN_MODELS,
    ),
    Row(
        kind="baseten",
        price_id="baseten",
        embeddings=False,
        features=OPEN_MODELS,
    ),
    Row(
        kind="lambda",
        embeddings=False,
        features=OPEN_MODELS,
    ),
    Row(
        kind="databricks",
        price_id="databricks",
        list_models=None,
        wire="openai_chat_databricks",
        place=Place(
            "workspace",
            "the workspace's host name, such as dbc-1a2b.cloud.databricks.com",
            "https://{}/serving-endpoints",
        ),
        features=SERVED,
    ),
    Row(
        kind="cloudflare",
        price_id="cloudflare",
        list_models=None,
        readers=(openai_quirks.finish_at_done,),
        wire="openai_chat_cloudflare",
        place=Place(
            "account_id",
            "the account's id",
            "https://api.cloudflare.com/client/v4/accounts/{}/ai/v1",
        ),
        features=SERVED,
    ),
    Row(
        kind="vercel",
        rules=Rules(messages=UNDERSTOOD, flat_effort=False),
        readers=(openai_quirks.reasoning_details,),
        features={
            **BASIC,
            "images": "native",
            "documents": "native",
            "json_schema": "native",
            "reasoning": "native: effort or budget in, its text out",
            "reasoning_replay": "native: `reasoning_details`",
            "caching": "native: `cache_control`",
            "embeddings": "native",
        },
    ),
    Row(
        kind="siliconflow",
        rules=Rules(limits=Limits(renamed=RENAMED)),
        features=SERVED,
    ),
    Row(
        kind="ai21",
        rules=AI21,
        encode=openai_quirks.encode_without_stream_options,
        embeddings=False,
        features=BASIC,
    ),
    Row(
        kind="venice",
        features=SERVED,
    ),
)
OWN = (
    Row(
        kind="llamacpp",
        features={**SERVED, "audio": "native: models that hear"},
    ),
    Row(
        kind="vllm",
        features={**SERVED, "audio": "native: models that hear"},
    ),
    Row(
        kind="lmstudio",
        features=SERVED,
    ),
    Row(
        kind="llamafile",
        readers=(openai_quirks.finish_at_done,),
        wire="openai_chat_llamafile",
        features=SERVED,
    ),
    Row(
        kind="tgi",
        rules=Rules(neutral={"top_p": 1}),
        readers=(openai_quirks.finish_at_done,),
        wire="openai_chat_tgi",
        embeddings=False,
        features={**BASIC, "images": "native: models that see", "logprobs": "native"},
    ),
    Row(
        kind="sglang",
        features=SERVED,
    ),
)
"""Self-hosted, at the addresses where they listen unless told otherwise."""
