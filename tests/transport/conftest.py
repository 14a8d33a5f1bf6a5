"""Everything that touches a socket runs on both event loops."""

from __future__ import annotations

import asyncio

import pytest
import uvloop

from taker import Run


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    return {"asyncio": asyncio.run, "uvloop": uvloop.run}[request.param]
