"""When a replayed second is due: as far after the first one as it was recorded, divided by the speed."""

from dataclasses import dataclass, replace

LONGEST_GAP_NS = 60 * 10**9  # nobody waits for an archive's gaps


@dataclass(frozen=True, slots=True)
class Schedule:
    """The times of the archive on the left, those of the clock on the right, ns UTC."""

    speed: float  # infinite: everything is due at once
    archive_ns: int
    clock_ns: int

    def due_ns(self, archive_ns: int) -> int:
        return self.clock_ns + round((archive_ns - self.archive_ns) / self.speed)

    def without_gap(self, last_ns: int, next_ns: int) -> "Schedule":
        """The schedule to go on with when the archive has nothing between two of its times."""
        skipped_ns = next_ns - last_ns - LONGEST_GAP_NS
        return self if skipped_ns <= 0 else replace(self, archive_ns=self.archive_ns + skipped_ns)
