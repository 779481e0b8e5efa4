"""Earth models from files: TOML, VELEST, NonLinLoc; whatever is wrong in one is told by line, found and expected."""

import math
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from kensoku.errors import InputInvalid
from kensoku.names import text_of
from kensoku.toml_lines import Path as TomlPath
from kensoku.toml_lines import find_lines
from kensoku.traveltime._model import EarthModel, Layer, find_mistakes

PRESETS = ("homogeneous", "iasp91", "japan", "southern-california")
FIELDS = ("top_km", "vp_km_s", "vs_km_s", "density_kg_m3", "qp", "qs")
VP_PER_VS = 3**0.5  # where a file gives no S: a Poisson solid
LEAST_KG_M3 = 100.0  # no rock has that many g/cm3

Mistake = tuple[int, str]  # the line it is in


def load_model(name: str | Path) -> EarthModel:
    """A preset, or a file: TOML, VELEST's .mod or NonLinLoc's LAYER lines."""
    if name in PRESETS:
        text = (files("kensoku.traveltime") / "presets" / f"{name}.toml").read_text(encoding="utf-8")
        return read_toml(text, f"{name}.toml")
    path = Path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        expected = f"expected a text file or one of {', '.join(PRESETS)}"
        raise InputInvalid(f"velocity model {str(name)!r} cannot be read: found {error}; {expected}") from error
    file = text_of(path.name)
    if path.suffix == ".toml":
        return read_toml(text, file)
    if re.search(r"^\s*LAYER\s", text, re.MULTILINE):
        return read_nonlinloc(text, file)
    return read_velest(text, file)


def read_toml(text: str, file: str) -> EarthModel:
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # numbers of over 4,300 digits, arrays within arrays
        raise InputInvalid(f"{file}: found {error}; expected TOML") from error
    lines = find_lines(text)
    mistakes: list[Mistake] = [
        (lines[(key,)], f"found {key!r}; expected name, reference, spherical and layers")
        for key in content
        if key not in {"name", "reference", "spherical", "layers"}
    ]
    for key, kind, words in (
        ("name", str, "a text"),
        ("reference", str, "a text"),
        ("spherical", bool, "true or false"),
    ):
        if not isinstance(content.get(key, kind()), kind):
            mistakes.append((lines[(key,)], f"{key}: found {content[key]!r}; expected {words}"))
    tables = content.get("layers")
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        mistakes.append((lines.get(("layers",), 1), f"layers: found {tables!r}; expected [[layers]], one a layer"))
        tables = []
    own_lines = [_lines_of(number, table, lines) for number, table in enumerate(tables)]
    layers = [_read_layer(table, line, mistakes) for table, line in zip(tables, own_lines, strict=True)]
    numbers = [line["top_km"] for line in own_lines]
    model = _checked([layer for layer in layers if layer], numbers, file, mistakes, own_lines)
    return EarthModel(
        content.get("name", Path(file).stem),
        model,
        content.get("spherical", True),
        content.get("reference", "").strip(),
    )


def read_nonlinloc(text: str, file: str) -> EarthModel:
    """LAYER depth Vp gradient Vs gradient density gradient; other statements are left alone."""
    rows: list[tuple[int, list[float]]] = []
    mistakes: list[Mistake] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#")[0].split()
        if words[:1] == ["LAYER"]:
            rows += _numbers(words[1:], 7, "LAYER depth Vp dVp Vs dVs density gradient", number, mistakes)
    layers = []
    for (_, row), following in zip(rows, [*rows[1:], None], strict=True):
        top, vp, vp_slope, vs, vs_slope, density, _ = row
        thickness = following[1][0] - top if following else 0.0
        velocities = (vp, vp + vp_slope * thickness), (vs, vs + vs_slope * thickness)
        layers.append(_complete(top, *velocities, density_kg_m3=_density_kg_m3(density)))
    return EarthModel(Path(file).stem, _checked(layers, [number for number, _ in rows], file, mistakes))


def _density_kg_m3(density: float) -> float | None:
    """NonLinLoc does not use it, so files have g/cm3, as it asks for, kg/m3, or 0 where nobody cared."""
    if density <= 0:
        return None
    return density if density >= LEAST_KG_M3 else 1000 * density


def read_velest(text: str, file: str) -> EarthModel:
    """A title, the number of layers, a line `velocity depth damping` each; then the same for S, if it is there."""
    mistakes: list[Mistake] = []
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1) if line.strip()][1:]
    blocks: list[list[tuple[int, list[float]]]] = []
    while lines and len(blocks) < 2:
        number, words = lines[0]
        if not words[0].isdigit():
            mistakes.append((number, f"found {words[0]!r}; expected the number of layers"))
            break
        count = int(words[0])
        if len(lines) - 1 < count:
            mistakes.append((number, f"found {len(lines) - 1} lines; expected {count}, as announced"))
        expected = "velocity and depth"
        blocks.append(
            [row for n, found in lines[1 : count + 1] for row in _numbers(found[:2], 2, expected, n, mistakes)]
        )
        lines = lines[count + 1 :]
    speeds = [{depth: velocity for _, (velocity, depth) in block} for block in blocks]
    p_lines = blocks[0] if blocks else []
    if len(speeds) == 2 and not mistakes and [*speeds[0]] != [*speeds[1]]:
        mistakes.append(
            (blocks[1][0][0] if blocks[1] else 1, f"found S at {[*speeds[1]]} km; expected {[*speeds[0]]}, as P")
        )
    layers = []
    for _, (vp, top) in p_lines:
        vs = speeds[1].get(top, vp / VP_PER_VS) if len(speeds) == 2 else vp / VP_PER_VS
        layers.append(_complete(top, (vp, vp), (vs, vs)))
    return EarthModel(Path(file).stem, _checked(layers, [number for number, _ in p_lines], file, mistakes))


def _checked(
    layers: Sequence[Layer], numbers: Sequence[int], file: str, mistakes: list[Mistake],
    fields: Sequence[Mapping[str, int]] | None = None,
) -> tuple[Layer, ...]:  # fmt: skip
    """The layers, when nothing at all is wrong."""
    if not mistakes:
        for number, field, mistake in find_mistakes(tuple(layers)):
            line = fields[number].get(field) if fields else None
            mistakes.append((line or (numbers[number] if numbers else 1), f"{field}: {mistake}"))
    if mistakes:
        raise InputInvalid("\n".join(f"{file}, line {line}: {mistake}" for line, mistake in sorted(mistakes)))
    return tuple(layers)


def _read_layer(table: Mapping[str, Any], line: Mapping[str, int], mistakes: list[Mistake]) -> Layer | None:
    before = len(mistakes)
    for key, value in table.items():
        numbers = value if isinstance(value, list) and key.startswith("v") and len(value) == 2 else [value]
        if key not in FIELDS:
            mistakes.append((line[key], f"found {key!r}; expected {', '.join(FIELDS)}"))
        elif not all(_is_number(number) for number in numbers):
            pair = ", or two: [at the top, at the bottom]" if key.startswith("v") else ""
            mistakes.append((line[key], f"{key}: found {value!r}; expected a number{pair}"))
    for key in ("top_km", "vp_km_s"):
        if key not in table:
            mistakes.append((line["top_km"], f"found a layer without {key}; expected it in each"))
    if len(mistakes) > before:
        return None
    vp = _pair(table["vp_km_s"])
    vs = _pair(table["vs_km_s"]) if "vs_km_s" in table else (vp[0] / VP_PER_VS, vp[1] / VP_PER_VS)
    return _complete(table["top_km"], vp, vs, **{key: table[key] for key in FIELDS[3:] if key in table})


def _complete(
    top_km: float, vp: tuple[float, float], vs: tuple[float, float], *,
    density_kg_m3: float | None = None, qp: float | None = None, qs: float | None = None,
) -> Layer:  # fmt: skip
    """What files leave out: density after Nafe & Drake (Brocher, 2005), Qs = 100 Vs, Qp = 2 Qs (Olsen et al., 2003)."""
    v, s = sum(vp) / 2, sum(vs) / 2
    brocher = 1000 * (1.6612 * v - 0.4721 * v**2 + 0.0671 * v**3 - 0.0043 * v**4 + 0.000106 * v**5)
    density = min(max(brocher, 1000.0), 5000.0) if density_kg_m3 is None else float(density_kg_m3)
    qs = float(max(100 * s, 10) if qs is None else qs)
    return Layer(float(top_km), vp, vs, density, float(2 * qs if qp is None else qp), qs)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _pair(value: float | Sequence[float]) -> tuple[float, float]:
    top, bottom = value if isinstance(value, Sequence) else (value, value)
    return float(top), float(bottom)


def _numbers(
    words: Sequence[str], count: int, expected: str, line: int, mistakes: list[Mistake]
) -> Iterable[tuple[int, list[float]]]:
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        mistakes.append((line, f"found {' '.join(words)!r}; expected {count} numbers: {expected}"))
        return []
    return [(line, numbers)]


def _lines_of(number: int, table: Mapping[str, Any], lines: Mapping[TomlPath, int]) -> dict[str, int]:
    """By field; where one is left out, that of the layer."""
    layer: TomlPath = ("layers", number)
    return {field: lines.get((*layer, field), lines[layer]) for field in (*FIELDS, *table)}
