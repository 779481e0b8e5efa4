"""Who made what came with another catalogue: agencies of events and revisions, and authors of their parts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for table, names in (
        ("revisions", ("agency",)),
        ("events", ("agency",)),
        ("origins", ("agency", "author")),
        ("arrivals", ("agency", "author")),
        ("magnitudes", ("agency", "author")),
    ):
        for name in names:
            op.add_column(table, sa.Column(name, sa.Text, nullable=False, server_default=""))
