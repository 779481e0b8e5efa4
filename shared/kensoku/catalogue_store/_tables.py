"""The tables of the catalogue as they are now; the migrations lead there from any earlier version."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()
KEY = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER


def made_by(*names: str) -> list[Column[str]]:
    """Who made what came with another catalogue; empty: we, or not said."""
    return [Column(name, Text, nullable=False, server_default="") for name in names]


def revision_key() -> Column[int]:
    """Of the row of `revisions` that this row belongs to."""
    return Column("revision_key", KEY, ForeignKey("revisions.key", ondelete="CASCADE"), nullable=False)


# One row for each (event, revision, owner); of two owners the one with the greater epoch was right.
REVISIONS = Table(
    "revisions",
    METADATA,
    Column("key", KEY, primary_key=True, autoincrement=True),
    Column("event_id", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("owner_epoch", BigInteger, nullable=False),
    Column("published_ns", BigInteger, nullable=False),  # wall-clock, ns UTC; 0: not said
    Column("status", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),  # empty: automatic
    Column("message", LargeBinary, nullable=False),  # kensoku.v1.Event, whole
    *made_by("agency"),
    UniqueConstraint("event_id", "revision", "owner_epoch", name="revisions_identity"),
    sqlite_autoincrement=True,
)

# The catalogue as it stands: one row an event, from its greatest (revision, owner_epoch).
EVENTS = Table(
    "events",
    METADATA,
    Column("id", Text, primary_key=True),
    revision_key(),
    Column("revision", BigInteger, nullable=False),
    Column("owner_epoch", BigInteger, nullable=False),
    Column("published_ns", BigInteger, nullable=False, server_default="0"),
    Column("status", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("time_ns", BigInteger),  # ns UTC; this and the next are null without an origin
    Column("latitude_deg", Double),
    Column("longitude_deg", Double),
    Column("depth_km", Double),
    Column("magnitude", Double),  # the preferred one; null: none
    Column("magnitude_type", Text, nullable=False),
    Column("quality", Text, nullable=False),
    Column("arrivals", Integer, nullable=False),
    Column("merged_into", Text, nullable=False),
    Column("split_from", Text, nullable=False),
    *made_by("agency"),
)
for name in (
    "revision_key",
    "published_ns",
    "status",
    "type",
    "region",
    "latitude_deg",
    "longitude_deg",
    "depth_km",
    "magnitude",
):
    Index(f"events_{name}", EVENTS.c[name])
# In the order of reading, without a time first: PostgreSQL would sort all to find the newest. SQLite has that order by
# itself, and no word for it.
Index("events_order", EVENTS.c.time_ns.nulls_first(), EVENTS.c.id)

ORIGINS = Table(
    "origins",
    METADATA,
    revision_key(),
    Column("time_ns", BigInteger, nullable=False),
    Column("latitude_deg", Double, nullable=False),
    Column("longitude_deg", Double, nullable=False),
    Column("depth_km", Double),
    Column("depth_is_fixed", Boolean, nullable=False),
    Column("depth_lower_km", Double),
    Column("depth_upper_km", Double),
    Column("time_uncertainty_s", Double),
    Column("horizontal_uncertainty_km", Double),
    Column("azimuthal_gap_deg", Double),
    Column("nearest_station_km", Double),
    Column("rms_s", Double),
    Column("phases_used", BigInteger, nullable=False),
    Column("stations_used", BigInteger, nullable=False),
    Column("quality", Text, nullable=False),
    Column("velocity_model", Text, nullable=False),
    *made_by("agency", "author"),
    UniqueConstraint("revision_key", name="origins_identity"),
    Index("origins_time_ns", "time_ns"),
)

ARRIVALS = Table(
    "arrivals",
    METADATA,
    revision_key(),
    Column("number", Integer, nullable=False),  # in the order of the message
    Column("pick_id", Text, nullable=False),
    Column("network", Text, nullable=False),
    Column("station", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("band_instrument", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("onset_ns", BigInteger, nullable=False),
    Column("onset_uncertainty_s", Double),
    Column("residual_s", Double),
    Column("weight", Double),
    Column("distance_km", Double),
    Column("azimuth_deg", Double),
    Column("takeoff_deg", Double),
    Column("is_outlier", Boolean, nullable=False),
    Column("blast_probability", Double),
    Column("polarity", SmallInteger, nullable=False),  # 1 up, -1 down, 0 neither
    *made_by("agency", "author"),  # of the pick
    UniqueConstraint("revision_key", "number", name="arrivals_identity"),
    Index("arrivals_pick_id", "pick_id"),
    Index("arrivals_station", "station", "network"),
)

MAGNITUDES = Table(
    "magnitudes",
    METADATA,
    revision_key(),
    Column("number", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("value", Double),  # null: there is none, for the reason
    Column("uncertainty", Double),
    Column("stations", BigInteger, nullable=False),
    Column("is_preferred", Boolean, nullable=False),
    Column("formula", Text, nullable=False),
    Column("absent_reason", Text, nullable=False),
    *made_by("agency", "author"),
    UniqueConstraint("revision_key", "number", name="magnitudes_identity"),
    Index("magnitudes_value", "value"),
)
