"""The absolute grid of 100 samples a second since 1970 on which all records lie."""

RATE_HZ = 100
SAMPLE_NS = 10_000_000
# Clocks are mostly on the grid or half a sample beside it; where rounding turns must be where no clock is.
ROUNDED_DOWN = 618  # thousandths of a sample


def index_of(time_ns: int) -> int:
    """The sample of the grid that a time counts as."""
    return (time_ns * 1000 // SAMPLE_NS + 1000 - ROUNDED_DOWN) // 1000


def time_of(index: int) -> int:
    """ns UTC of a sample of the grid."""
    return index * SAMPLE_NS
