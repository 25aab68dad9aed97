"""The shared store: one PostgreSQL database for any number of replicas."""

from pointsman.store.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
