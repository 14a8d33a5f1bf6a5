"""Responses in the memory of one process, the least recently used of which go first."""

from __future__ import annotations

from collections import OrderedDict

from headway.ports import CachedResponse

ENTRY_BYTES = 1024
"""What a response takes besides its body, roughly."""


def size_of(response: CachedResponse) -> int:
    """Bytes."""
    return ENTRY_BYTES + sum(map(len, response.pieces))


class MemoryCache:
    """A ``ports.ResponseCache``. ``limit`` is in bytes."""

    is_shared = False

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._responses: OrderedDict[bytes, CachedResponse] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._responses)

    @property
    def size(self) -> int:
        """Bytes."""
        return self._size

    def get(self, key: bytes, now: float) -> CachedResponse | None:
        response = self._responses.get(key)
        if response is None:
            return None
        if response.expires <= now:
            self._remove(key)
            return None
        self._responses.move_to_end(key)
        return response

    async def load(self, key: bytes, now: float) -> CachedResponse | None:
        return self.get(key, now)

    def put(self, key: bytes, response: CachedResponse) -> None:
        self._remove(key)
        if size_of(response) > self._limit:
            return
        self._responses[key] = response
        self._size += size_of(response)
        while self._size > self._limit:
            self._remove(next(iter(self._responses)))

    async def close(self) -> None:
        self._responses.clear()
        self._size = 0

    def _remove(self, key: bytes) -> None:
        response = self._responses.pop(key, None)
        if response is not None:
            self._size -= size_of(response)
