"""The default database of the ledger."""

from headway.ledger.stores.sqlite.store import SqliteStore as SqliteStore
