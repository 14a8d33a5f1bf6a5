"""Vendors of OpenAI's wire whose models are mostly their own, or whose ways are.

What each refuses is in ``compatible_vendor_rules``, how its models are told to think in
``compatible_vendor_styles``, what its errors mean in ``compatible_vendor_errors``: each fact there
has its source.
"""

from __future__ import annotations

from headway.providers import model_lists as listing
from headway.providers.openai_compatible import perplexity_embeddings
from headway.providers.openai_compatible import response_transforms as openai_quirks
from headway.providers.openai_compatible import strict_parameters as words
from headway.providers.openai_compatible import vendor_errors as errors
from headway.providers.openai_compatible import vendor_rules as rules
from headway.providers.openai_compatible import vendor_styles as styles
from headway.providers.openai_compatible.request_rules import Rules
from headway.providers.openai_compatible.request_transforms import any_schema, listed_stop
from headway.providers.openai_compatible.usage import cache_creation
from headway.providers.openai_compatible.vendor import BASIC, RENAMED, SERVED, UNDERSTOOD, Row
from headway.providers.parameter_rules import Limits

READS = "partial: automatic, counts of reads out"

VENDORS = (
    Row(
        kind="groq",
        price_id="groq",
        rules=rules.GROQ,
        mends=(styles.GROQ, words.worded("service_tier", rules.GROQ_TIERS)),
        readers=(openai_quirks.x_groq,),
        decode_error=errors.GROQ,
        embeddings=False,
        capabilities={
            **BASIC,
            "images": "native",
            "json_schema": "native: models that can",
            "reasoning": "native: an effort in, its text out",
            "caching": READS,
        },
    ),
    Row(
        kind="deepseek",
        price_id="deepseek",
        rules=rules.DEEPSEEK,
        mends=(styles.DEEPSEEK,),
        decode_error=errors.DEEPSEEK,
        embeddings=False,
        capabilities={
            **BASIC,
            "tool_choice": "partial: nothing is forced while the model thinks, which it does "
            "unless told otherwise",
            "images": "native: models that see",
            "json_schema": "emulated: JSON mode, the schema told in words",
            "reasoning": "native: `thinking` or an effort in, its text out",
            "reasoning_replay": "partial: `reasoning_content` goes back as it is, unsigned",
            "caching": READS,
            "logprobs": "native",
        },
    ),
    Row(
        kind="xai",
        price_id="x-ai",
        rules=rules.XAI,
        mends=(styles.XAI, listed_stop),
        readers=(openai_quirks.reasoning_beside,),
        embeddings=False,
        capabilities={
            **BASIC,
            "images": "native",
            "json_schema": "native",
            "reasoning": "native: an effort where the model takes one",
            "caching": READS,
            "citations": "partial: as the vendor writes them, to clients of the same wire",
            "logprobs": "native",
        },
    ),
    Row(
        kind="openrouter",
        price_id="openrouter",
        rules=Rules(messages=UNDERSTOOD, flat_effort=False),
        readers=(openai_quirks.reasoning_details, openai_quirks.choice_errors),
        decode_error=errors.decode_openrouter,
        wire="openai_chat_openrouter",
        capabilities={
            **BASIC,
            "images": "native",
            "documents": "native",
            "audio": "native",
            "json_schema": "native",
            "reasoning": "native: effort or budget in, its text out",
            "reasoning_replay": "native: `reasoning_details`",
            "caching": "native: `cache_control`, counts of reads and writes out",
            "citations": "native: annotations",
            "logprobs": "native",
            "embeddings": "native",
        },
    ),
    # The schema of togethercomputer/openapi.
    Row(
        kind="together",
        price_id="together",
        rules=Rules(limits=Limits(renamed=RENAMED), flat_effort=False),
        mends=(styles.TOGETHER, words.counted_logprobs, listed_stop),
        decode_error=errors.TOGETHER,
        capabilities={
            **SERVED,
            "audio": "native: models that hear",
            "reasoning": "native: on, off or an effort, as the model has it; its text out",
            "caching": READS,
            "logprobs": "partial: in a shape of its own",
        },
    ),
    Row(
        kind="fireworks",
        price_id="fireworks",
        rules=rules.FIREWORKS,
        mends=(styles.FIREWORKS,),
        decode_error=errors.FIREWORKS,
        capabilities={
            **SERVED,
            "reasoning": "native: an effort, a budget or `thinking` in, its text out",
            "caching": READS,
        },
    ),
    Row(
        kind="perplexity",
        price_id="perplexity",
        list_models=listing.openai_model_list("/v1/models", without="/v1"),
        rules=rules.PERPLEXITY,
        mends=(styles.PERPLEXITY, any_schema),
        readers=(openai_quirks.searches, openai_quirks.reasoning_beside),
        wire="openai_chat_perplexity",
        encode_embeddings=perplexity_embeddings.encode_embeddings,
        decode_embeddings=perplexity_embeddings.decode_embeddings,
        capabilities={
            "stream": "native",
            "images": "native",
            "json_object": "emulated: a schema of any object",
            "json_schema": "native",
            "reasoning": "partial: an effort in, its text within the answer",
            "citations": "native: annotations and `search_results`",
            "embeddings": "native: signed bytes, given as floats",
        },
    ),
    Row(
        kind="cerebras",
        price_id="cerebras",
        rules=rules.CEREBRAS,
        mends=(styles.CEREBRAS,),
        embeddings=False,
        capabilities={
            **BASIC,
            "images": "partial: as data, models that see",
            "json_object": "partial: in whole answers, not in streams",
            "json_schema": "native",
            "reasoning": "native",
            "caching": READS,
            "logprobs": "native",
        },
    ),
    Row(
        kind="moonshot",
        price_id="moonshotai",
        rules=rules.MOONSHOT,
        mends=(styles.MOONSHOT,),
        readers=(openai_quirks.usage_in_choice,),
        decode_error=errors.MOONSHOT,
        embeddings=False,
        capabilities={
            **BASIC,
            "tool_choice": "partial: nothing is forced while the model thinks; kimi-k3 takes "
            "`required`",
            "images": "partial: as data or a file of the vendor's, no address",
            "json_schema": "native",
            "reasoning": "native: `thinking`, or an effort of kimi-k3, in, its text out",
            "reasoning_replay": "partial: `reasoning_content` goes back as it is, unsigned",
            "caching": READS,
        },
    ),
    Row(
        kind="zai",
        price_id="zai",
        rules=rules.ZAI,
        mends=(styles.ZAI, words.chooses_itself),
        decode_error=errors.ZAI,
        capabilities={
            **BASIC,
            "tool_choice": "partial: `auto`, and none by leaving the tools out",
            "images": "native",
            "json_schema": "emulated: JSON mode, the schema told in words",
            "reasoning": "native: `thinking`, or an effort from glm-5.2 on, in, its text out",
            "reasoning_replay": "partial: `reasoning_content` goes back as it is, unsigned",
            "caching": READS,
            "embeddings": "partial: with the `base_url` of its house in China, open.bigmodel.cn",
        },
    ),
    Row(
        kind="dashscope",
        rules=rules.DASHSCOPE,
        mends=(styles.DASHSCOPE,),
        readers=(cache_creation,),
        decode_error=errors.DASHSCOPE,
        capabilities={
            **BASIC,
            "tool_choice": "partial: nothing is forced while the model thinks",
            "images": "native",
            "audio": "native",
            "json_schema": "native",
            "reasoning": "native: `enable_thinking` and a budget in, its text out",
            "caching": "native: `cache_control`, counts of reads and writes out",
            "logprobs": "native",
            "embeddings": "native",
        },
    ),
    Row(
        kind="minimax",
        price_id="minimax",
        rules=rules.MINIMAX,
        mends=(styles.MINIMAX,),
        judge=openai_quirks.base_resp,
        embeddings=False,
        capabilities={
            "stream": "native",
            "tools": "native",
            "images": "native: models that see",
            "reasoning": "partial: `thinking` of MiniMax-M3 in; its text within the answer, or "
            "apart with `reasoning_split`",
            "caching": READS,
        },
    ),
)
