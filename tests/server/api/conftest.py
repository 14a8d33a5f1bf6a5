"""Servers over a ledger in memory, closed when a test is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.ledger_server import LedgerServer


@pytest.fixture
def new_server() -> Iterator[Callable[..., LedgerServer]]:
    made: list[LedgerServer] = []

    def make(*entries: Any, **options: Any) -> LedgerServer:
        made.append(LedgerServer(*entries, **options))
        return made[-1]

    yield make
    for server in made:
        server.close()
