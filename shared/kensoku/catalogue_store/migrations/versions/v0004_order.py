"""An index in the order in which a catalogue is read: by origin time, what has none first."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"  # which has that order by itself, and no word for it
    op.create_index("events_order", "events", ["time_ns" if is_sqlite else sa.text("time_ns NULLS FIRST"), "id"])
    op.drop_index("events_time_ns", "events")
