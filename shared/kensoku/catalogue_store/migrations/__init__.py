"""From each version of the catalogue's tables to the next, by Alembic."""
