"""``GET /spend/...`` and ``/global/spend/...``: the ledger as clients of LiteLLM's proxy read it
(docs.litellm.ai/docs/proxy/cost_tracking; litellm/proxy/spend_tracking in its repository).

A row is a call, a day begins at midnight UTC, and a key is known by its id: the first eight hex
digits of its SHA-256, which is what LiteLLM calls the hashed token. What the gateway does not have,
such as teams, is not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec
from msgspec.structs import replace

from headway.dialects.base import decode_object
from headway.errors import InvalidField, RequestError
from headway.ledger.json_views import iso_time
from headway.ledger.queries import OFF, ON, read_time
from headway.ledger.store import MAX_LIMIT, Dimension, Filter, LogRow, Usage
from headway.policy.keys import ANONYMOUS
from headway.record import Record, call_id_in, reply_id_of
from headway.server.api.ledger_requests import Answer, Ledger, LedgerRequest, answer

DAY_S = 86400.0
RECENT_S = 30 * DAY_S
"""Without dates: the last thirty days."""
MOST_USERS = 100
"""Rows of the end users, as LiteLLM has it."""
KEY_DIGITS = 8
_TIMES = ("start_date", "end_date")


# --- The query ------------------------------------------------------------------------------------


def _read_date(name: str, text: str, now: float) -> float:
    try:
        return read_time(text, now)
    except ValueError:
        raise RequestError(f"`{name}` must be a date, YYYY-MM-DD.", param=name) from None


def _period(given: Mapping[str, str], now: float, names: Sequence[str] = _TIMES) -> Filter:
    """From the first of two dates to the end of the day of the second one. Raises RequestError."""
    first, last = names
    since, until = now - RECENT_S, None
    if first in given:
        since = _read_date(first, given[first], now)
    if last in given:
        until = _read_date(last, given[last], now)
        if until % DAY_S == 0:
            until += DAY_S
    if until is not None and until <= since:
        raise RequestError(f"`{first}` must not be after `{last}`.", param=first)
    return Filter(since=since, until=until)


def _key_ids(given: Mapping[str, str]) -> tuple[str, ...]:
    """Of ``api_key``: a key, its hash, or its id."""
    key = given.get("api_key")
    if key is None:
        return ()
    is_hash = len(key) in (KEY_DIGITS, 64) and set(key) <= set("0123456789abcdef")
    if key == ANONYMOUS or is_hash:
        return (key if key == ANONYMOUS else key[:KEY_DIGITS],)
    return (sha256(key.encode()).hexdigest()[:KEY_DIGITS],)


def _read_limit(given: Mapping[str, str], default: int) -> int:
    text = given.get("limit", str(default))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_LIMIT):
        message = f"`limit` must be a whole number from 1 to {MAX_LIMIT}."
        raise RequestError(message, param="limit")
    return int(text)


def _read_switch(given: Mapping[str, str], name: str) -> bool:
    text = given.get(name, "true").lower()
    if text not in (*ON, *OFF):
        raise RequestError(f"`{name}` must be true or false.", param=name)
    return text in ON


# --- Logs -----------------------------------------------------------------------------------------


async def logs(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``GET /spend/logs``: sums by day where both dates are given, unless ``summarize=false``; else
    the newest calls, at most ``MAX_LIMIT``."""
    given = request.read_texts("api_key", "user_id", "request_id", *_TIMES, "summarize")
    names = given.get("request_id")
    where = replace(
        _period(given, request.now) if set(_TIMES) & given.keys() else Filter(),
        ids=() if names is None else tuple(filter(None, (names, call_id_in(names)))),
        keys=_key_ids(given),
        users=(given["user_id"],) if "user_id" in given else (),
        owner=request.owner,
    )
    if set(_TIMES) <= given.keys() and not where.ids and _read_switch(given, "summarize"):
        return answer(await _sum_by_day(ledger, where))
    page = await ledger.reader.ask(lambda store: store.logs(where, limit=MAX_LIMIT))
    return answer([spend_log(row) for row in page.rows])


def spend_log(row: LogRow) -> dict[str, Any]:
    """A call, in the columns of LiteLLM's table (``LiteLLM_SpendLogs``)."""
    last = row.last
    started = last.started
    first_token = last.time_to_first_token_s
    return {
        "request_id": reply_id_of(last),
        "call_type": _call_type(last),
        "api_key": last.key_id or "",
        "spend": 0.0 if row.cost_usd is None else float(row.cost_usd),
        "total_tokens": (last.input_tokens or 0) + (last.output_tokens or 0),
        "prompt_tokens": last.input_tokens or 0,
        "completion_tokens": last.output_tokens or 0,
        "startTime": iso_time(started),
        "endTime": iso_time(last.timestamp),
        "completionStartTime": iso_time(started + (first_token or last.latency_s or 0.0)),
        "request_duration_ms": round((last.timestamp - started) * 1000),
        "model": last.deployment or last.model or "",
        "model_id": "",
        "model_group": last.model or "",
        "custom_llm_provider": last.kind or "",
        "api_base": "",
        "user": last.user or "",
        "metadata": {"provider": last.provider, "attempts": last.attempts},
        "cache_hit": str(last.cache in ("hit", "coalesced")),
        "cache_key": "",
        "request_tags": list(last.tags),
        "team_id": None,
        "end_user": last.user or "",
        "requester_ip_address": None,
        "session_id": last.session_id,
        "status": "success" if last.outcome == "ok" else "failure",
        "messages": {},
        "response": {},
    }


def _call_type(record: Record) -> str:
    """LiteLLM's name of the operation."""
    for part, name in CALL_TYPES.items():
        if part in record.dialect:
            return name
    return "acompletion"


CALL_TYPES = {
    "embed": "aembedding",
    "rerank": "arerank",
    "moderations": "amoderation",
    "images_edits": "aimage_edit",
    "images": "aimage_generation",
    "audio_speech": "aspeech",
    "audio": "atranscription",
    "responses": "aresponses",
    "anthropic_messages": "anthropic_messages",
    "gemini_": "agenerate_content",
    "native": "pass_through_endpoint",
}
"""Part of a dialect's name -> the name; the first that fits."""


async def _sum_by_day(ledger: Ledger, where: Filter) -> list[dict[str, Any]]:
    """Each day with its spend, that of each key by its id, and those of users and models; days
    after the last one with calls are there, too."""
    days: dict[str, dict[str, Any]] = {}
    groups: Sequence[tuple[str, Dimension]] = (
        ("", "key"), ("users", "user"), ("models", "model"),
    )  # fmt: skip
    for name, by in groups:
        for usage in await _usage(ledger, where, ("day", by)):
            day = days.setdefault(_day_of(usage), _empty_day(_day_of(usage)))
            spend, group = float(usage.cost_usd), usage.group[by] or ""
            target = day[name] if name else day
            target[group] = target.get(group, 0.0) + spend
            if not name:
                day["spend"] += spend
    found = [days[date] for date in sorted(days)]
    if found and where.until is not None:
        last = datetime.fromisoformat(found[-1]["startTime"]).replace(tzinfo=UTC)
        while (last := last + timedelta(days=1)).timestamp() < where.until:
            found.append(_empty_day(f"{last:%Y-%m-%d}"))
            if len(found) >= MAX_LIMIT:
                break
    return found


def _empty_day(date: str) -> dict[str, Any]:
    return {"users": {}, "models": {}, "spend": 0.0, "startTime": date}


async def _usage(ledger: Ledger, where: Filter, by: Sequence[Dimension]) -> Sequence[Usage]:
    return await ledger.reader.ask(lambda store: store.usage(where, by, metrics=()))


def _day_of(usage: Usage) -> str:
    return usage.group["day"] or ""


# --- Sums -----------------------------------------------------------------------------------------


async def total(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``GET /global/spend``. LiteLLM's ``max_budget`` is 0 where there is none."""
    where = replace(_period(request.read_texts(), request.now), owner=request.owner)
    (usage,) = await _usage(ledger, where, ())
    return answer({"spend": float(usage.cost_usd), "max_budget": 0.0})


async def by_day(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``GET /global/spend/logs``: of the last thirty days."""
    given = request.read_texts("api_key")
    keys = _key_ids(given)
    where = replace(_period({}, request.now), keys=keys, owner=request.owner)
    more = {"api_key": keys[0]} if keys else {}
    rows = [
        {"date": f"{_day_of(usage)}T00:00:00+00:00", "spend": float(usage.cost_usd), **more}
        for usage in await _usage(ledger, where, ("day",))
    ]
    return answer(rows)


async def _by(
    ledger: Ledger, request: LedgerRequest, by: Dimension, where: Filter
) -> list[tuple[str, Usage]]:
    """Groups with a name, the highest spend first."""
    found = await _usage(ledger, replace(where, owner=request.owner), (by,))
    return [(usage.group[by] or "", usage) for usage in found]


async def keys(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``GET /global/spend/keys``."""
    limit = _read_limit(request.read_texts("limit"), MAX_LIMIT)
    rows = [
        {"api_key": key, "key_alias": None, "key_name": None, "total_spend": float(usage.cost_usd)}
        for key, usage in await _by(ledger, request, "key", _period({}, request.now))
    ]
    return answer(rows[:limit])


async def models(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``GET /global/spend/models``."""
    limit = _read_limit(request.read_texts("limit"), 10)
    rows = [
        {
            "model": model,
            "total_spend": float(usage.cost_usd),
            "total_tokens": usage.input_tokens + usage.output_tokens,
        }
        for model, usage in await _by(ledger, request, "model", _period({}, request.now))
    ]
    return answer(rows[:limit])


async def providers(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``GET /global/spend/provider``."""
    where = _period(request.read_texts(*_TIMES), request.now)
    found = await _by(ledger, request, "provider", where)
    return answer([{"provider": name, "spend": float(usage.cost_usd)} for name, usage in found])


async def tags(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``GET /global/spend/tags``: of those in ``tags``, or of all."""
    given = request.read_texts(*_TIMES, "tags")
    wanted = set(filter(None, given.get("tags", "").split(","))) - {"all-tags"}
    rows = [
        {"name": tag, "spend": float(usage.cost_usd), "log_count": usage.calls}
        for tag, usage in await _tagged(ledger, request, given)
        if not wanted or tag in wanted
    ]
    return answer({"spend_per_tag": rows})


async def tag_names(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``GET /global/spend/all_tag_names``."""
    found = await _tagged(ledger, request, request.read_texts())
    return answer({"tag_names": [tag for tag, _ in found]})


async def all_tags(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``GET /spend/tags``."""
    rows = [
        {
            "individual_request_tag": tag,
            "log_count": usage.calls,
            "total_spend": float(usage.cost_usd),
        }
        for tag, usage in await _tagged(ledger, request, request.read_texts(*_TIMES))
    ]
    return answer(rows)


async def _tagged(
    ledger: Ledger, request: LedgerRequest, given: Mapping[str, str]
) -> list[tuple[str, Usage]]:
    found = await _by(ledger, request, "tag", _period(given, request.now))
    return [(tag, usage) for tag, usage in found if tag]


async def end_users(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``POST /global/spend/end_users`` with ``startTime``, ``endTime`` and ``api_key`` in the body,
    all of them optional."""
    given = _read_body(request.body)
    period = _period(given, request.now, ("startTime", "endTime"))
    where = replace(period, keys=_key_ids(given))
    rows = [
        {"end_user": user, "total_count": usage.calls, "total_spend": float(usage.cost_usd)}
        for user, usage in await _by(ledger, request, "user", where)
    ]
    return answer(rows[:MOST_USERS])


def _read_body(body: bytes) -> dict[str, str]:
    """Raises InvalidBody, InvalidField."""
    given = {}
    for name, raw in decode_object(body).items() if body.strip() else ():
        if name not in ("startTime", "endTime", "api_key"):
            message = f"`{name[:40]}` is no field here; there are startTime, endTime and api_key."
            raise InvalidField(message, param=name[:40])
        value = msgspec.json.decode(raw)
        if value is not None and not isinstance(value, str):
            raise InvalidField(f"`{name}` must be a text or null.", param=name)
        if value:
            given[name] = value
    return given
