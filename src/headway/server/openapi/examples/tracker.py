"""Logs and sessions of LLMstudio's tracker."""

from __future__ import annotations

from typing import Any

from headway.server.api.tracker_logs import semicolon_table
from headway.server.openapi.examples.base import ANSWER, CONTEXT, HELLO, PROVIDER, Example

_LOG: dict[str, Any] = {
    "chat_input": HELLO,
    "chat_output": ANSWER,
    "session_id": "session-1",
    "context": CONTEXT,
    "provider": PROVIDER,
    "model": "gpt-4o",
    "deployment": "gpt-4o-2024-11-20",
    "parameters": {"temperature": 0},
    "metrics": {
        "input_tokens": 6,
        "output_tokens": 26,
        "total_tokens": 32,
        "cost_usd": 0.000275,
        "latency_s": 1.25,
    },
    "extras": None,
}
_ID = 1_796_040_001_250_000
_TIME = "2026-11-30T12:00:01.250000Z"
_SESSION = {"session_id": "session-1", "chat_history": CONTEXT, "extras": {"label": "test"}}
_ROWS = [{"model": "gpt-4o", "temperature": 0}, {"model": "gpt-4o-mini", "temperature": 0.5}]

LOG = (Example("A call", _LOG),)
LOG_REPLY = (Example("A log", {**_LOG, "log_id": _ID, "created_at": _TIME}),)
LOGS = (Example("One log", [LOG_REPLY[0].value]),)
SESSION = (Example("An entry", _SESSION),)
SESSION_REPLY = (
    Example("An entry", {**_SESSION, "message_id": _ID, "created_at": _TIME, "updated_at": _TIME}),
)
SESSIONS = (Example("One entry", [SESSION_REPLY[0].value]),)
EXTRAS = (Example("A label", {"label": "test"}),)
ROWS = (Example("Two rows", _ROWS),)
TABLE = (Example("The same two", semicolon_table(_ROWS)),)
