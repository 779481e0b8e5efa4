"""When an event was last published, beside the event: "what is new since" is asked often."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("events", sa.Column("published_ns", sa.BigInteger, nullable=False, server_default="0"))
    op.execute(
        "UPDATE events SET published_ns = "
        "(SELECT published_ns FROM revisions WHERE revisions.key = events.revision_key)"
    )
    op.create_index("events_published_ns", "events", ["published_ns"])
