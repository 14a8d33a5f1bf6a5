"""The ledger in PostgreSQL."""

from headway.ledger.stores.postgresql.store import PostgresqlStore as PostgresqlStore
