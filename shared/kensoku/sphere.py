"""The Earth as a sphere: its radius, a degree on it, and how far one place is from another."""

import math

EARTH_RADIUS_KM = 6371.0
KM_PER_DEG = 111.19493  # of a great circle, to 0.1 m in a thousand km


def distance_km(
    latitude_deg: float, longitude_deg: float, other_latitude_deg: float, other_longitude_deg: float
) -> float:
    """Along a great circle; exact also for places that are near to each other."""
    north = math.radians(other_latitude_deg - latitude_deg)
    east = math.radians(other_longitude_deg - longitude_deg)
    parallel = math.cos(math.radians(latitude_deg)) * math.cos(math.radians(other_latitude_deg))
    half = math.sin(north / 2) ** 2 + parallel * math.sin(east / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(half)))
