"""Events, their revisions, origins, arrivals and magnitudes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "revisions",
        sa.Column("key", KEY, primary_key=True, autoincrement=True),
        *_whole("revision", "owner_epoch", "published_ns"),
        *_texts("event_id", "status", "type", "region", "reason", "author"),
        sa.Column("message", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("event_id", "revision", "owner_epoch", name="revisions_identity"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Text, primary_key=True),
        _revision_key(),
        *_whole("revision", "owner_epoch"),
        *_texts("status", "type", "region"),
        sa.Column("time_ns", sa.BigInteger),
        *_numbers("latitude_deg", "longitude_deg", "depth_km", "magnitude"),
        *_texts("magnitude_type", "quality"),
        sa.Column("arrivals", sa.Integer, nullable=False),
        *_texts("merged_into", "split_from"),
    )
    for name in ("revision_key", "status", "type", "region", "time_ns", "latitude_deg", "longitude_deg", "depth_km"):
        op.create_index(f"events_{name}", "events", [name])
    op.create_index("events_magnitude", "events", ["magnitude"])
    _create_origins()
    _create_arrivals()
    _create_magnitudes()


def _create_origins() -> None:
    op.create_table(
        "origins",
        _revision_key(),
        *_whole("time_ns", "phases_used", "stations_used"),
        sa.Column("latitude_deg", sa.Double, nullable=False),
        sa.Column("longitude_deg", sa.Double, nullable=False),
        *_numbers("depth_km", "depth_lower_km", "depth_upper_km", "time_uncertainty_s", "horizontal_uncertainty_km"),
        *_numbers("azimuthal_gap_deg", "nearest_station_km", "rms_s"),
        sa.Column("depth_is_fixed", sa.Boolean, nullable=False),
        *_texts("quality", "velocity_model"),
        sa.UniqueConstraint("revision_key", name="origins_identity"),
    )
    op.create_index("origins_time_ns", "origins", ["time_ns"])


def _create_arrivals() -> None:
    op.create_table(
        "arrivals",
        _revision_key(),
        sa.Column("number", sa.Integer, nullable=False),
        *_texts("pick_id", "network", "station", "location", "band_instrument", "phase"),
        *_whole("onset_ns"),
        *_numbers("onset_uncertainty_s", "residual_s", "weight", "distance_km", "azimuth_deg", "takeoff_deg"),
        sa.Column("is_outlier", sa.Boolean, nullable=False),
        *_numbers("blast_probability"),
        sa.Column("polarity", sa.SmallInteger, nullable=False),
        sa.UniqueConstraint("revision_key", "number", name="arrivals_identity"),
    )
    op.create_index("arrivals_pick_id", "arrivals", ["pick_id"])
    op.create_index("arrivals_station", "arrivals", ["station", "network"])


def _create_magnitudes() -> None:
    op.create_table(
        "magnitudes",
        _revision_key(),
        sa.Column("number", sa.Integer, nullable=False),
        *_numbers("value", "uncertainty"),
        *_whole("stations"),
        *_texts("type", "formula", "absent_reason"),
        sa.Column("is_preferred", sa.Boolean, nullable=False),
        sa.UniqueConstraint("revision_key", "number", name="magnitudes_identity"),
    )
    op.create_index("magnitudes_value", "magnitudes", ["value"])


def _revision_key() -> sa.Column[int]:
    return sa.Column("revision_key", KEY, sa.ForeignKey("revisions.key", ondelete="CASCADE"), nullable=False)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _whole(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[float]]:
    return [sa.Column(name, sa.Double) for name in names]
