"""What the container files name exists: settings, topics' command, folders. No container engine runs here."""

import re
from pathlib import Path

from kensoku.acquisition.settings import AcquisitionSettings
from kensoku.settings import variable

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_every_variable_of_the_composition_is_a_setting() -> None:
    known = {variable(name) for name in AcquisitionSettings.model_fields}
    assert set(re.findall(r"^\s+(KENSOKU_\w+):", COMPOSE, re.MULTILINE)) <= known


def test_the_values_of_the_composition_are_accepted() -> None:
    given = {
        name.removeprefix("KENSOKU_").lower(): value.split("  #")[0].strip('"')
        for name, value in re.findall(r"^\s+(KENSOKU_\w+): (.+)$", COMPOSE, re.MULTILINE)
    }
    settings = AcquisitionSettings(**given)
    assert settings.bus == "kafka://kafka:9092"


def test_no_port_is_open_to_other_machines() -> None:
    published = re.findall(r'"([\d.]+):(\d+):\d+"', COMPOSE)
    assert len(published) == 4
    assert {address for address, _ in published} == {"127.0.0.1"}


def test_the_image_takes_what_the_wheel_needs() -> None:
    copied = {name for line in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE) for name in line.split()}
    assert {"constraints.txt", "pyproject.toml", "README.md", "LICENSE", "shared", "services", "training"} <= copied
    assert [name for name in copied if not (ROOT / name).exists()] == []
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied <= allowed
