"""``POST /api/explain``: what would happen to a request, and why. Nothing is sent.

The body is a request in OpenAI's chat format, or in that of the dialect that the query names; or an
object with the request as ``body``, and with ``dialect`` and ``headers`` besides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Raw

from headway.dialects.base import ClientRequest, Dialect, decode_object, field
from headway.errors import HeadwayError, InvalidBody, InvalidField
from headway.ledger.store import Filter
from headway.pipeline.explain import ExplainedCall, explain, find_cache_state, open_call
from headway.server import routes
from headway.server.api import token_counts
from headway.server.api.ledger_requests import Answer, Ledger, LedgerRequest, answer
from headway.types import ChatRequest, Headers

DEFAULT_DIALECT = "openai_chat"
NOT_EXPLAINED = frozenset({"engine"})
"""Its provider is in its path, and not in its body."""
SHORT_NAMES = {
    "chat": "openai_chat",
    "responses": "openai_responses",
    "messages": "anthropic_messages",
    "gemini": "gemini_generate",
    "ollama": "ollama_api_chat",
    "completions": "openai_completions",
    "embeddings": "openai_embeddings",
}
DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect for _, dialect in routes.DIALECTS if dialect.name not in NOT_EXPLAINED
}
MEAN_DAYS = 7
MEAN_WAIT_S = 2.0
ENVELOPE = frozenset({"body", "dialect", "headers"})
LEFT_OUT = frozenset({b"content-encoding", b"content-length"})
"""Headers of the request for an explanation, and not of what is explained."""
DIALECT = field("dialect", str | None, f"one of {', '.join(SHORT_NAMES)}, or a full name")
BODY = field("body", dict[str, Raw], "an object: the request that is explained")
HEADERS = field("headers", dict[str, str] | None, "an object of names and values")
MODEL = field("model", str | None, "a string")


class Asked(NamedTuple):
    dialect: Dialect
    request: ClientRequest


async def explain_request(ledger: Ledger, request: LedgerRequest) -> Answer:
    """Raises HeadwayError, as the request itself would."""
    gateway = ledger.gateway
    asked = read_request(request)
    call = await open_call(gateway, asked.dialect, asked.request, request.key_id)
    tokens, means, cache = await asyncio.gather(
        _count(call), _mean_outputs(ledger, call, request.owner), find_cache_state(call)
    )
    return answer(explain(call, tokens, means, cache))


def read_request(request: LedgerRequest) -> Asked:
    """The request that is to be explained. Raises InvalidBody, InvalidField."""
    query = dict(request.pairs)
    dialect = _find_dialect(query.get("dialect") or DEFAULT_DIALECT)
    headers = [each for each in request.headers if each[0] not in LEFT_OUT]
    try:
        fields = decode_object(request.body)
    except InvalidBody:
        if not any(name == b"content-encoding" for name, _ in request.headers):
            raise
        return Asked(dialect, ClientRequest("", request.headers, request.body))
    if "body" not in fields or not ENVELOPE.issuperset(fields):
        return Asked(dialect, ClientRequest(_argument(fields), headers, request.body))
    if (named := DIALECT.read(fields)) is not None:
        dialect = _find_dialect(named)
    inner, raw = BODY.require(fields), bytes(fields["body"])
    given = _encode_headers(HEADERS.read(fields) or {})
    own = [each for each in headers if each[0] not in dict(given)]
    return Asked(dialect, ClientRequest(_argument(inner), [*own, *given], raw))


def _find_dialect(name: str) -> Dialect:
    dialect = DIALECTS.get(SHORT_NAMES.get(name, name))
    if dialect is None:
        known = ", ".join(sorted(DIALECTS))
        raise InvalidField(
            f"`dialect` must be one of {', '.join(SHORT_NAMES)}; or of {known}.", param="dialect"
        )
    return dialect


def _argument(fields: Mapping[str, Raw]) -> str:
    """The name of the model, for dialects that have it in their path."""
    try:
        return MODEL.read(fields) or ""
    except InvalidField:
        return ""  # the dialect says so in its own words


def _encode_headers(given: Mapping[str, str]) -> Headers:
    """Raises InvalidField."""
    try:
        return [(name.lower().encode("ascii"), value.encode()) for name, value in given.items()]
    except UnicodeEncodeError:
        raise InvalidField("The names of `headers` must be in ASCII.", param="headers") from None


async def _count(call: ExplainedCall) -> int | None:
    request = call.decoded.request
    if not isinstance(request, ChatRequest):
        return None
    model = call.route.targets[0].model
    try:
        return await token_counts.count_prompt(call.gateway, call.dialect, model, request)
    except HeadwayError:
        return None  # a target of another wire format says so


async def _mean_outputs(
    ledger: Ledger, call: ExplainedCall, owner: str | None
) -> Mapping[str, float]:
    """Of calls of the last days that ended well, by ``provider/model``. None where the ledger does
    not answer in a moment: an explanation does without."""
    route = call.route
    targets = (*route.targets, *route.on_context_window, *route.on_content_policy)
    where = Filter(
        since=call.gateway.unix_time() // 3600 * 3600 - MEAN_DAYS * 86400,  # by whole hours
        models=tuple(dict.fromkeys(target.model for target in targets)),
        outcomes=("ok",),
        owner=owner,
    )
    try:
        async with asyncio.timeout(MEAN_WAIT_S):
            rows = await ledger.reader.ask(
                lambda store: store.usage(where, ("provider", "model"), metrics=())
            )
    except (HeadwayError, TimeoutError):
        return {}
    return {
        f"{row.group['provider']}/{row.group['model']}": row.output_tokens / row.calls
        for row in rows
        if row.calls and row.output_tokens
    }
