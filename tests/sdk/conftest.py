from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli.fake_gateway import FakeGateway, running
from headway import Client


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    with running() as fake:
        yield fake


@pytest.fixture
def client(gateway: FakeGateway) -> Iterator[Client]:
    with Client(gateway.url) as one:
        yield one
