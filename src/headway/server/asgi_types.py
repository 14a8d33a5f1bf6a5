"""The types of an ASGI application (ASGI 3.0)."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApplication = Callable[[Scope, Receive, Send], Awaitable[None]]

BREAK_OFF = "headway.break_off"
"""An extension of ASGI, and its one message: the server closes the connection of a response that
has begun and must not look complete."""
