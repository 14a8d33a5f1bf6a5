"""Hosts of open models that speak OpenAI's wire, routers, clouds, and servers of one's own.

Facts, where nothing nearer says otherwise: sambanova/sambanova-python (the SDK's types),
api.deepinfra.com/openapi.json, docs.api.nvidia.com/nim, huggingface.co/docs/inference-providers,
docs.tokenfactory.nebius.com, novita.ai/docs, docs.hyperbolic.ai, docs.baseten.co,
docs.databricks.com, developers.cloudflare.com/workers-ai, vercel.com/docs/ai-gateway,
docs.siliconflow.com, AI21Labs/ai21-python and its API's schema, docs.venice.ai/swagger.yaml;
ggml-org/llama.cpp (tools/server), vllm-project/vllm and sgl-project/sglang (their protocol.py),
lmstudio.ai/docs and lmstudio-ai/lmstudio-bug-tracker (189 and 670), mozilla-ai/llamafile
(docs/api.md), huggingface/text-generation-inference (its router).
Servers of open models read ``max_tokens`` and ``max_completion_tokens`` alike unless a row renames
one, tell usage in a last chunk when asked, and reason in ``reasoning`` or ``reasoning_content``.
"""

from __future__ import annotations

from headway.providers import model_lists as listing
from headway.providers import model_lists_cloud as listing_clouds
from headway.providers.openai_compatible import errors as compatible_errors
from headway.providers.openai_compatible import request_transforms as compatible_mends
from headway.providers.openai_compatible import response_transforms as openai_quirks
from headway.providers.openai_compatible.request_rules import Rules
from headway.providers.openai_compatible.response import parsed_content
from headway.providers.openai_compatible.vendor import (
    BASIC,
    OPEN_MODELS,
    PENALTIES,
    RENAMED,
    SERVED,
    UNDERSTOOD,
    Place,
    Row,
)
from headway.providers.parameter_rules import Limits

SHORT = Rules(limits=Limits(renamed=RENAMED))
"""Of those whose documentation knows ``max_tokens`` alone."""
SAMBANOVA = Rules(
    limits=Limits(dropped=dict.fromkeys(PENALTIES, "SambaNova takes it and does not apply it"))
)
DEEPINFRA = Rules(
    limits=Limits(renamed=RENAMED),
    bounds={"n": (1, 4), "top_p": (0.001, 1)},
    flat_effort=False,
)
"""It knows ``reasoning: {effort, enabled}``, and refuses a ``top_p`` of 0."""
BASETEN = Rules(limits=Limits(renamed=RENAMED), one_choice=True)
DATABRICKS = Rules(
    limits=Limits(
        dropped=dict.fromkeys((*PENALTIES, "seed"), "Databricks has none"),
        renamed=RENAMED,
    )
)
AI21 = Rules(
    limits=Limits(
        dropped=dict.fromkeys(
            (
                *PENALTIES, "logit_bias", "logprobs", "parallel_tool_calls", "seed", "tool_choice",
                "top_logprobs",
            ),
            "AI21 does not know it",
        ),
        renamed=RENAMED,
    ),
    tells_schema=True,
)  # fmt: skip
VENICE = Rules(
    limits=Limits(
        dropped=dict.fromkeys(
            (
                "audio", "function_call", "functions", "logit_bias", "modalities", "prediction",
                "safety_identifier", "service_tier", "web_search_options",
            ),
            "Venice refuses what it does not know",
        )
    ),
    messages=UNDERSTOOD,
    flat_effort=False,
)  # fmt: skip
TGI = Rules(
    limits=Limits(dropped={"logit_bias": "TGI refuses OpenAI's, and applies none"}),
    neutral={"top_p": 1, "presence_penalty": 0},
    bounds={"top_p": (0.001, 0.999), "presence_penalty": (-1.999, 2)},
    one_choice=True,
)
"""Its ``presence_penalty`` is a repetition penalty less 2, and that is above 0: what OpenAI calls
none is one of 2 there. The bounds of ``top_p`` are open."""

HOSTS = (
    Row(
        kind="sambanova",
        rules=SAMBANOVA,
        capabilities={
            **BASIC,
            "images": "native: as data, not by their URL",
            "json_schema": "native",
            "reasoning": "partial: an effort in, its text out where the model gives it",
            "embeddings": "native",
        },
    ),
    Row(
        kind="deepinfra",
        rules=DEEPINFRA,
        mends=(compatible_mends.without_budget,),
        readers=(openai_quirks.reasoning_beside,),  # of Gemini and Gemma (vercel/ai, deepinfra)
        capabilities={
            **SERVED,
            "audio": "native: models that hear",
            "caching": "partial: automatic, counts of reads out",
        },
    ),
    Row(
        kind="nvidia_nim",
        rules=SHORT,
        decode_error=compatible_errors.NVIDIA,
        capabilities=SERVED,
    ),
    Row(
        kind="huggingface",
        readers=(openai_quirks.x_groq, openai_quirks.finish_at_done),
        embeddings=False,
        capabilities=OPEN_MODELS,
    ),
    Row(  # gone on 2026-07-30 (docs.github.com/en/github-models): what is left answers with a 410
        kind="github_models",
        list_models=listing.openai_model_list("/catalog/models", without="/inference"),
        rules=Rules(messages=UNDERSTOOD),
        decode_error=compatible_errors.GITHUB,
        capabilities={**BASIC, "images": "native", "json_schema": "native", "embeddings": "native"},
    ),
    Row(
        kind="nebius",
        list_models=listing.openai_model_list("/models?verbose=true"),
        rules=SHORT,
        capabilities=SERVED,
    ),
    Row(
        kind="novita",
        price_id="novita",
        rules=SHORT,
        decode_error=compatible_errors.NOVITA,
        capabilities={**SERVED, "audio": "native: models that hear"},
    ),
    Row(
        kind="hyperbolic",
        rules=SHORT,
        embeddings=False,
        capabilities=OPEN_MODELS,
    ),
    Row(
        kind="baseten",
        price_id="baseten",
        rules=BASETEN,
        embeddings=False,
        capabilities=OPEN_MODELS,
    ),
    Row(  # shut down on 2025-09-25 (lambda.ai/inference)
        kind="lambda",
        embeddings=False,
        capabilities=OPEN_MODELS,
    ),
    Row(
        kind="databricks",
        price_id="databricks",
        list_models=listing_clouds.DATABRICKS,
        rules=DATABRICKS,
        decode_error=compatible_errors.DATABRICKS,
        wire="openai_chat_databricks",
        place=Place(
            "workspace",
            "the workspace's host name, such as dbc-1a2b.cloud.databricks.com",
            "https://{}/serving-endpoints",
        ),
        capabilities=SERVED,
    ),
    Row(
        kind="cloudflare",
        price_id="cloudflare",
        list_models=listing_clouds.CLOUDFLARE,
        rules=SHORT,
        mends=(compatible_mends.plain_content,),
        readers=(openai_quirks.finish_at_done,),
        judge=parsed_content,
        decode_error=compatible_errors.CLOUDFLARE,
        wire="openai_chat_cloudflare",
        place=Place(
            "account_id",
            "the account's id",
            "https://api.cloudflare.com/client/v4/accounts/{}/ai/v1",
        ),
        capabilities={**SERVED, "json_schema": "partial: some models, and not in a stream"},
    ),
    Row(
        kind="vercel",
        rules=Rules(messages=UNDERSTOOD, flat_effort=False),
        readers=(openai_quirks.reasoning_details,),
        decode_error=compatible_errors.VERCEL,
        capabilities={
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
        rules=SHORT,
        mends=(compatible_mends.budget("thinking_budget", 128, 32768),),
        decode_error=compatible_errors.SILICONFLOW,
        capabilities={
            **SERVED,
            "reasoning": "native: a budget or `enable_thinking` in, its text out",
        },
    ),
    Row(
        kind="ai21",
        rules=AI21,
        encode=openai_quirks.encode_without_stream_options,
        embeddings=False,
        capabilities={
            "stream": "native",
            "tools": "native",
            "json_object": "native",
            "json_schema": "emulated: JSON mode, the schema told in words",
        },
    ),
    Row(
        kind="venice",
        rules=VENICE,
        mends=(compatible_mends.without_budget,),
        readers=(openai_quirks.reasoning_details,),
        decode_error=compatible_errors.VENICE,
        capabilities={
            **SERVED,
            "audio": "native: models that hear, as data",
            "reasoning": "native: an effort in, its text out",
            "reasoning_replay": "native: `reasoning_details`",
            "caching": "native: `cache_control`, counts of reads out",
        },
    ),
)
OWN = (
    Row(
        kind="llamacpp",
        mends=(compatible_mends.lone_tool,),
        capabilities={**SERVED, "audio": "native: models that hear"},
    ),
    Row(
        kind="vllm",
        mends=(compatible_mends.budget("thinking_token_budget", 0, 2**31 - 1),),
        capabilities={
            **SERVED,
            "audio": "native: models that hear",
            "reasoning": "native: an effort or a budget in, its text out",
        },
    ),
    Row(
        kind="lmstudio",
        rules=SHORT,
        mends=(compatible_mends.any_schema, compatible_mends.lone_tool),
        capabilities={**SERVED, "json_object": "emulated: a JSON schema of any object"},
    ),
    Row(  # llama.cpp's server from 0.10 on; before, its own, which refused tools
        kind="llamafile",
        mends=(compatible_mends.lone_tool,),
        readers=(openai_quirks.finish_at_done,),
        wire="openai_chat_llamafile",
        capabilities={**SERVED, "audio": "native: models that hear"},
    ),
    Row(  # no longer developed (its README)
        kind="tgi",
        rules=TGI,
        mends=(compatible_mends.listed_stop, compatible_mends.grammar),
        readers=(openai_quirks.finish_at_done,),
        decode_error=compatible_errors.TGI,
        wire="openai_chat_tgi",
        embeddings=False,
        capabilities={
            **BASIC,
            "tools": "partial: not beside a response format",
            "images": "native: models that see",
            "json_schema": "native",
            "logprobs": "native",
        },
    ),
    Row(
        kind="sglang",
        rules=Rules(flat_effort=False),
        mends=(compatible_mends.without_budget,),
        capabilities={**SERVED, "reasoning": "native: an effort in, its text out"},
    ),
)
"""Self-hosted, at the addresses where they listen unless told otherwise."""
