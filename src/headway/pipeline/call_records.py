"""Write the records of a call's attempts, and of a call that was refused before any attempt."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from headway.dialects.base import ClientRequest, DecodedRequest, Dialect
from headway.errors import ClientGone, HeadwayError, InternalError, LedgerUnavailable
from headway.pipeline import accounting, content
from headway.pipeline.accounting import AttemptResult, AttemptTotals, RequestFacts
from headway.pipeline.attempt import Attempt
from headway.pipeline.cached_call import CacheUse
from headway.pipeline.drain import Drain
from headway.pipeline.failure_log import fields, log_call_failure
from headway.pipeline.gateway import DEFECT, Gateway, Snapshot, Upstream
from headway.record import CacheStatus

log = logging.getLogger("headway")


class RecordedCall(Protocol):
    """What of a ``GatewayCall`` is needed."""

    gateway: Gateway
    snapshot: Snapshot
    dialect: Dialect
    client_request: ClientRequest
    id: str
    request_id: str
    key_id: str | None
    started: float
    decoded: DecodedRequest | None
    upstream: Upstream | None
    attempts: int
    upstream_request_bytes: int | None
    overhead_s: float | None
    attempt: Attempt | None
    """The last one."""
    drain: Drain | None
    recorded: Attempt | None
    records: int
    on_record: Callable[[bytes], None] | None
    shadow_of: str | None
    cache_use: CacheUse | None
    cache_status: CacheStatus | None

    def secrets(self) -> list[str]: ...


def facts_of(call: RecordedCall) -> RequestFacts:
    """The call as it is now."""
    gateway = call.gateway
    return RequestFacts(
        gateway.new_id() if call.records else call.id,
        call.id,
        call.request_id,
        call.dialect,
        call.key_id,
        len(call.client_request.body),
        call.decoded,
        call.upstream,
        call.attempts,
        call.upstream_request_bytes,
        call.overhead_s,
        gateway.clock() - call.started,
        gateway.unix_time(),
        cache=call.cache_status if call.cache_use is None else call.cache_use.status,
        shadow_of=call.shadow_of,
    )


def record_attempt(
    call: RecordedCall,
    attempt: Attempt,
    facts: RequestFacts,
    result: AttemptResult,
    totals: AttemptTotals,
    error: HeadwayError | None,
    is_last: bool = True,
) -> None:
    """Raises InternalError where the record cannot be written."""
    drain = call.drain
    line = accounting.attempt_record(
        facts,
        result,
        totals,
        error,
        attempt.bytes_out if drain is None else drain.bytes_out,
        None if error is None or result.has_client_headers else _status_of(call, error),
        is_last=is_last,
        is_drained=drain is not None and attempt.error is None,
    )
    write_record(call, line)
    call.recorded = attempt


def record_failure(
    call: RecordedCall,
    attempt: Attempt | None,
    result: AttemptResult | None,
    error: HeadwayError,
    is_last: bool = True,
) -> None:
    """If the record cannot be written, the client still gets its reply. A request that is refused
    because of that has none."""
    if isinstance(error, LedgerUnavailable):
        return
    try:
        facts = facts_of(call)
        if is_last:
            facts = content.keep_call(call, facts, attempt)
        if attempt is None or result is None:
            has_headers = call.attempt is not None and call.attempt.has_headers
            status = 200 if has_headers else _status_of(call, error)
            write_record(call, accounting.refusal_record(facts, error, status))
        else:
            totals = _totals_of_failure(call, facts, result)
            record_attempt(call, attempt, facts, result, totals, error, is_last)
    except Exception as defect:
        log_defect(call, "the request could not be put on record", defect)


def _status_of(call: RecordedCall, error: HeadwayError) -> int:
    """What the client gets; that of a client that left is only on record."""
    return error.status if isinstance(error, ClientGone) else call.dialect.status_of(error)


def _totals_of_failure(
    call: RecordedCall, facts: RequestFacts, result: AttemptResult
) -> AttemptTotals:
    """If the accounting fails, the failure is still on record."""
    try:
        return accounting.total(facts, result, call.snapshot.prices)
    except Exception as defect:
        log_defect(call, "the cost of the request is unknown", defect)
        return accounting.UNKNOWN_TOTALS


def write_record(call: RecordedCall, line: bytes) -> None:
    """Raises InternalError where the record cannot be written."""
    try:
        call.gateway.spool.append(line)
    except Exception as error:
        log_defect(call, "the request could not be put on record", error)
        raise InternalError(DEFECT) from error
    call.records += 1
    if call.on_record is not None:
        call.on_record(line)


def log_failure(
    call: RecordedCall, message: str, error: HeadwayError, attempt: Attempt | None
) -> None:
    """``attempt`` is the one that ``error`` ended, if there was one."""
    log_call_failure(
        message,
        error,
        call.decoded,
        upstream_status=0 if attempt is None else attempt.status,
        request_id=call.request_id,
        route=call.dialect.route,
        attempts=call.attempts or None,
        duration_s=round(call.gateway.clock() - call.started, 6),
    )


def log_defect(call: RecordedCall, message: str, defect: Exception) -> None:
    log.error(message, exc_info=defect, extra=fields(request_id=call.request_id))
