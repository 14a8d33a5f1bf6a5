"""One suite over all databases: ``store`` is an empty one of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.ledger_stores import SyncStore, opened

from headway.ledger.stores import new_store


@pytest.fixture(params=["memory", "sqlite"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "memory":
        return "sqlite:///:memory:"
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def store(store_url: str) -> Iterator[SyncStore]:
    with opened(new_store(store_url)) as store:
        yield store
