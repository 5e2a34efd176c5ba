"""Where alembic enters: it works on the connection that `cloud.store.migrate` hands it, and only so."""

from alembic import context
from sqlalchemy import Connection

connection = context.config.attributes["connection"]
assert isinstance(connection, Connection)

# The caller has begun the transaction and ends it: a migration that fails half-way leaves nothing behind.
context.configure(connection=connection)
context.run_migrations()
