"""The store: the only part that knows Postgres."""
