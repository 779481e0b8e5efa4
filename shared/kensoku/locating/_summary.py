"""From moments to what people read: ellipsoid, circle, and a quality class with its rule in words."""

import numpy as np

from kensoku.locating._values import Ellipsoid, FloatArray, QualityClass

CHI_SQUARE_3_68 = 3.5267  # holds 68.27 % in three dimensions
LIMIT_KM = 0.01
RATIOS = np.linspace(0, 1, 21)

RULES: tuple[tuple[QualityClass, float, float, float, int], ...] = (
    # class, horizontal uncertainty km, half of the depth interval km, azimuthal gap, phases at least
    ("A", 1.0, 2.0, 150.0, 8),
    ("B", 2.5, 5.0, 210.0, 6),
    ("C", 10.0, 15.0, 330.0, 4),
)


def ellipsoids(covariance_km2: FloatArray) -> list[Ellipsoid]:
    """Of north, east and depth (event, 3, 3)."""
    values, vectors = np.linalg.eigh(covariance_km2)
    axes = vectors[..., ::-1] * np.where(vectors[:, 2:, ::-1] < 0, -1, 1)  # down
    north, east, down = axes.transpose(1, 0, 2)
    lengths = np.sqrt(np.maximum(values[:, ::-1], 0) * CHI_SQUARE_3_68)
    azimuth = np.degrees(np.arctan2(east, north)) % 360
    plunge = np.degrees(np.arctan2(down, np.hypot(north, east)))
    columns = (map(tuple, values.tolist()) for values in (lengths, azimuth, plunge))
    return [Ellipsoid(*parts) for parts in zip(*columns, strict=True)]


def _circle_radii() -> FloatArray:
    """Of the circle that holds 68.27 % of a normal distribution with standard deviations 1 and `ratio`."""
    around = (np.arange(90) + 0.5) * np.pi / 90
    radii = np.linspace(0.5, 2.0, 301)
    squares = np.cos(around) ** 2 + (RATIOS[:, None] * np.sin(around)) ** 2
    held = (1 - np.exp(-(radii[:, None, None] ** 2) / (2 * squares))).mean(axis=2).T
    return np.array([np.interp(0.6827, inside, radii) for inside in held])


CIRCLE_RADII = _circle_radii()


def circles_km(second_moments_km2: FloatArray) -> FloatArray:
    """Radii of the circles that hold 68 %, from the moments of north and east about their centres (event, 2, 2)."""
    least, most = np.sqrt(np.maximum(np.linalg.eigvalsh(second_moments_km2), 0)).T
    return np.asarray(most * np.interp(least / np.maximum(most, 1e-9), RATIOS, CIRCLE_RADII))


def circle_km(share: FloatArray, away_km: FloatArray) -> float:
    """Of the circle that holds 68 % of nodes that lie so far from its centre; half of a node is before it."""
    order = np.argsort(away_km)
    share = share[order]
    return float(np.interp(0.6827, share.cumsum() - share / 2, away_km[order]))


def reaches_limit(depth_km: float, depth_upper_km: float, deepest_km: float) -> bool:
    """The most probable depth, or its interval: the event may lie below."""
    return max(depth_km, depth_upper_km) > deepest_km - LIMIT_KM


def quality(
    horizontal_km: float,
    depth_half_km: float,
    gap_deg: float,
    phases: int,
    *,
    arrivals: int = 0,
    depth_is_fixed: bool,
    reaches_limit: bool = False,
    nearest_km: float = 0.0,
    margin_km: float = np.inf,
    nearest_disagrees: bool = False,
    second_place_km: float | None = None,
) -> tuple[QualityClass, str]:
    """The best class whose limits all hold, and what keeps it from a better one; where the depth reaches the greatest
    that is allowed the event may lie below, and where the nearest station has outliers alone, the others may agree
    about a wrong depth. Where another place explains the arrivals as well, or may do so since none was sought as far
    from the stations, or no more of them agree than do not, as of an event far outside that was sought within, none
    holds."""
    measured = (
        ("horizontal uncertainty", horizontal_km, "km"),
        ("half of the depth interval", np.inf if depth_is_fixed else depth_half_km, "km"),
        ("azimuthal gap", gap_deg, "degrees"),
    )
    obstacle = ""
    for name, *limits, least in RULES:
        broken = [
            f"{what} {value:.1f} {unit} is above {limit:g}" if np.isfinite(value) else "the depth is not resolved"
            for (what, value, unit), limit in zip(measured, limits, strict=True)
            if not value <= limit
        ]
        if reaches_limit and not depth_is_fixed:
            broken.append("the depth reaches the greatest that is allowed")
        if nearest_km > margin_km:
            broken.append(f"no station within {nearest_km:.0f} km, and no place beyond {margin_km:g} km was sought")
        if second_place_km is not None:
            broken.append(f"another place, {second_place_km:.1f} km away, explains the arrivals as well")
        if 2 * phases <= arrivals:
            broken.append(f"{phases} of {arrivals} arrivals agree, no more than half")
        if nearest_disagrees and name in "AB":
            broken.append("the nearest station disagrees")
        if phases < least:
            broken.append(f"{phases} phases are fewer than {least}")
        if not broken:
            kept = f"horizontal <= {limits[0]:g} km, depth +- {limits[1]:g} km, gap <= {limits[2]:g}, phases >= {least}"
            return name, f"{name}: {kept}" + (f"; not {_better(name)}: {obstacle}" if obstacle else "")
        obstacle = ", ".join(broken)
    return "D", f"D: not C: {obstacle}"


def _better(name: QualityClass) -> str:
    return chr(ord(name) - 1)
