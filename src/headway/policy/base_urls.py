"""Which clients may name the address of a provider in a request."""

from __future__ import annotations

from msgspec import Struct

from headway.errors import Forbidden
from headway.policy.keys import KeyId


class BaseUrlPolicy(Struct, frozen=True):
    """A gateway that calls every address it is told reaches servers that its clients cannot reach
    themselves (server-side request forgery)."""

    is_open: bool = True
    """Every client may send a ``base_url``."""
    key_ids: frozenset[KeyId] = frozenset()
    """The keys whose owners may send one in any case."""


def check_base_url(policy: BaseUrlPolicy, key_id: KeyId) -> None:
    """Raises Forbidden if the owner of ``key_id`` may not send a ``base_url``."""
    if not policy.is_open and key_id not in policy.key_ids:
        raise Forbidden(
            "This gateway calls configured addresses only: leave out `base_url`, or let its "
            "operator set server.allow_base_url, or server.base_url_keys for your key.",
            param="base_url",
        )
