"""Choose one of several keys of a provider."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from msgspec import Struct


class ProviderKey(Struct, frozen=True, gc=False):
    """What is known of a key without its secret."""

    id: str
    """Unique among all providers and safe to show: ``provider#name``, or the name of the provider
    where it has one key or none."""
    weight: float = 1.0


def choose_key(
    keys: Sequence[ProviderKey],
    is_usable: Callable[[str], bool],
    draw: float,
    tried: Collection[str] = (),
) -> ProviderKey | None:
    """One that this call has not tried and that is neither set aside nor cooling down, with a
    chance in proportion to its weight; weight 0 only where no other is left. ``draw`` is from
    [0, 1). None: there is none."""
    usable = [key for key in keys if key.id not in tried and is_usable(key.id)]
    if not usable:
        return None
    at = draw * sum(key.weight for key in usable)
    for key in usable:
        at -= key.weight
        if at < 0.0:
            return key
    return usable[-1] if usable[-1].weight else usable[0]
