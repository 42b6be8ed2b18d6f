"""What Alembic runs: the steps over the connection `geo.store.database` hands it."""

from __future__ import annotations

from alembic import context

from geo.store.database import migration_options

context.configure(connection=context.config.attributes["connection"], **migration_options())
with context.begin_transaction():
    context.run_migrations()
