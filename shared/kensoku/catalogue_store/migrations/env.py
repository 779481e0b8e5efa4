"""Run by Alembic: the connection and its transaction are the caller's."""

from alembic import context

from kensoku.catalogue_store._tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
