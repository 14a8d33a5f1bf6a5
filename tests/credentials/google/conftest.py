from __future__ import annotations

import pytest


@pytest.fixture(autouse=True, scope="package")
def import_google_auth() -> None:
    """Outside the tests' time, and not when tests are collected: it takes 0.3 s."""
    import headway.credentials.google.auth_library  # noqa: F401
