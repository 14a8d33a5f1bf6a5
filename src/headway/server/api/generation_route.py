"""``GET /api/v1/generation?id=``: what a reply used and cost, in the shape that clients of
OpenRouter read (openrouter.ai/docs/api-reference/get-a-generation).

Its times are milliseconds: ``latency`` until the first token, ``generation_time`` until the end.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from headway.errors import RequestError
from headway.ledger.json_views import cost_of, iso_time
from headway.ledger.store import Call
from headway.record import Record, reply_id_of
from headway.server.api.ledger_requests import Answer, Ledger, LedgerRequest, answer, find_call


async def generation(ledger: Ledger, request: LedgerRequest) -> Answer:
    """Other parameters are ignored, as clients may send some. Raises RequestError without an id,
    NotFound."""
    call_id = dict(request.pairs).get("id")
    if call_id is None:
        message = "`id` is missing from the query: the `id` of a reply."
        raise RequestError(message, param="id")
    found = await find_call(ledger, call_id, request.owner)
    return answer({"data": generation_of(found)})


def generation_of(call: Call) -> dict[str, Any]:
    last = call.last
    cost = cost_of(call.attempts)
    usd = 0.0 if cost is None else float(cost)
    return {
        "id": reply_id_of(last),
        "request_id": last.request_id,
        "upstream_id": last.upstream_request_id,
        "total_cost": usd,
        "usage": usd,
        "cache_discount": _cache_discount(last),
        "upstream_inference_cost": usd if last.cost_source == "provider" else None,
        "created_at": iso_time(last.started),
        "model": last.deployment or last.model or "",
        "app_id": None,
        "streamed": bool(last.stream),
        "cancelled": last.outcome == "cancelled",
        "provider_name": last.provider,
        "provider_responses": [_response(record) for record in call.attempts],
        **_times(last),
        "finish_reason": last.finish_reason,
        "native_finish_reason": last.finish_reason,
        **_counts(last),
        "origin": "",
        "http_referer": None,
        "user_agent": None,
        "is_byok": False,
        "external_user": last.user,
        "session_id": last.session_id,
        "api_type": "embeddings" if "embed" in last.dialect else "completions",
        "router": None,
        "preset_id": None,
        "data_region": "global",
        "service_tier": last.price_conditions.get("service_tier"),
        "web_search_engine": None,
    }


def _times(last: Record) -> dict[str, float | None]:
    first = last.time_to_first_token_s
    return {
        "latency": _milliseconds(last.latency_s if first is None else first),
        "moderation_latency": None,
        "generation_time": _milliseconds(last.latency_s),
    }


def _counts(last: Record) -> dict[str, int | None]:
    return {
        "tokens_prompt": last.input_tokens,
        "tokens_completion": last.output_tokens,
        "native_tokens_prompt": last.input_tokens,
        "native_tokens_completion": last.output_tokens,
        "native_tokens_completion_images": last.output_image_tokens,
        "native_tokens_reasoning": last.reasoning_tokens,
        "native_tokens_cached": last.cache_read_tokens,
        "num_media_prompt": None,
        "num_input_audio_prompt": None,
        "num_media_completion": None,
        "num_search_results": last.web_searches,
        "num_fetches": None,
    }


def _response(record: Record) -> dict[str, Any]:
    """An attempt."""
    return {
        "id": record.upstream_request_id,
        "provider_name": record.provider,
        "status": record.upstream_status,
        "latency": _milliseconds(record.latency_s),
        "is_byok": False,
    }


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _cache_discount(last: Record) -> float | None:
    """What the cache saved: the tokens read at the price of input, less what they cost."""
    prices = {item.kind: Decimal(item.unit_price_usd) for item in last.line_items}
    reads = [item for item in last.line_items if item.kind == "cache_read"]
    if not reads or "input" not in prices:
        return None
    saved = sum(Decimal(item.quantity) * (prices["input"] - prices["cache_read"]) for item in reads)
    return float(saved)
