"""The routes on which clients ask for replies again: stored responses of OpenAI's Responses API and
stored chat completions, where the ledger keeps content."""

from __future__ import annotations

import re
from collections.abc import Mapping

from headway.server.api.ledger_requests import Handler
from headway.server.api.stored_completions import completion, completions, messages
from headway.server.api.stored_responses import cancel, input_items, response

NO_IDS = ("input_tokens", "compact")
"""What stands in the place of a response's id, and is none."""
READ = ("GET", "HEAD")
ROUTES: Mapping[str, tuple[Handler, tuple[str, ...]]] = {
    "/v1/responses/{id}": (response, (*READ, "DELETE")),
    "/v1/responses/{id}/input_items": (input_items, READ),
    "/v1/responses/{id}/cancel": (cancel, ("POST",)),
    "/v1/chat/completions": (completions, READ),
    "/v1/chat/completions/{id}": (completion, (*READ, "POST", "DELETE")),
    "/v1/chat/completions/{id}/messages": (messages, READ),
}
"""By the template of the path. Each is below ``/openai`` as well."""
PATTERNS = [
    (re.compile(f"(?:/openai)?{template.replace('{id}', '([^/]+)')}"), *route)
    for template, route in ROUTES.items()
]


def find(path: str) -> tuple[Handler, tuple[str, ...], str] | None:
    """The handler of a path, its methods, and the id in it; None for a path of none of these."""
    for pattern, handler, methods in PATTERNS:
        found = pattern.fullmatch(path)
        if found is None:
            continue
        argument = found[1] if found.lastindex else ""
        if argument not in NO_IDS:
            return handler, methods, argument
    return None
