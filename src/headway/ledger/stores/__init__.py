"""Databases of records, by URL."""

from __future__ import annotations

from importlib import import_module
from urllib.parse import urlsplit

from headway.ledger.store import Store, StoreError
from headway.ledger.stores.sqlite import SqliteStore

SQLITE = "sqlite:///"


def new_store(url: str) -> Store:
    """The store of ``sqlite:////absolute/path``, ``sqlite:///:memory:`` or
    ``postgresql://user:password@host:port/database``, not opened yet. Raises StoreError for another
    URL, or where the extra that it needs is not installed."""
    if url.startswith(SQLITE) and len(url) > len(SQLITE):
        return SqliteStore(url.removeprefix(SQLITE))
    scheme = urlsplit(url).scheme
    if scheme in ("postgresql", "postgres"):
        return _new_postgresql_store(url)
    raise StoreError(
        f"ledger.url has the scheme {scheme!r}: use sqlite:////path or "
        "postgresql://user:password@host:port/database"
    )


def _new_postgresql_store(url: str) -> Store:
    try:
        module = import_module("headway.ledger.stores.postgresql")
    except ImportError:
        raise StoreError(
            "a ledger in PostgreSQL needs asyncpg: pip install 'headway[postgresql]'"
        ) from None
    store: Store = module.PostgresqlStore(url)
    return store
