"""Every command that the pages and the files for containers show is one that the programs take."""

import argparse
import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from kensoku.acquisition.settings import AcquisitionSettings
from kensoku.association.settings import AssociationServiceSettings
from kensoku.catalog.settings import CatalogSettings
from kensoku.cli.main import parse
from kensoku.location.settings import LocationServiceSettings
from kensoku.settings import ServiceSettings, add_flags, load_settings, overrides
from kensoku.triggering.settings import TriggeringSettings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MODELS = ROOT / "docs" / "models.md"
FILES = [ROOT / "docker-compose.yml", *sorted((ROOT / "deploy_k8s").rglob("*.yaml"))]
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
OPTIONAL = re.compile(r" \[[^]]*\]|\.\.\.")
EXPLAINED = re.compile(r"\s{4,}.*|\s{2}[a-z].*| #.*| [|&<] ?.*|…")  # what a line tells of the command behind it
SERVICES: dict[str, type[ServiceSettings]] = {
    "acquisition": AcquisitionSettings,
    "triggering": TriggeringSettings,
    "association": AssociationServiceSettings,
    "location": LocationServiceSettings,
    "catalog": CatalogSettings,
}


def shown(page: Path) -> Iterator[str]:
    """The commands of a page, one a line, without what is said of them."""
    for block in BLOCK.findall(page.read_text("utf-8")):
        for line in re.sub(r" *\\\n *", " ", block).splitlines():
            if command := re.match(r"\s*(?:\S*bin/)?((?:kensoku|python -m \S+) .*)", line):
                yield re.sub(r"(?<= )N\b", "2", EXPLAINED.sub("", OPTIONAL.sub("", command[1]))).strip()


def said(page: Path) -> Iterator[str]:
    """Those within the text that somebody may copy: with options."""
    yield from re.findall(r"`(kensoku [^`]* --[^`]*[^`.])`", page.read_text("utf-8"))


def contained(text: str) -> Iterator[str]:
    for command in re.findall(r"command: (\[?(?:kensoku|python).*)", text):
        yield re.sub(r"[\[\],]", "", command)


COMMANDS = sorted(
    {(page.name, command) for page in PAGES for command in shown(page)}
    | {(MODELS.name, command) for command in said(MODELS)}
)
CONTAINED = sorted({command for path in FILES for command in contained(path.read_text("utf-8"))})


def try_out(command: str) -> None:
    program, *rest = shlex.split(command)
    if program == "kensoku":
        parse(rest)
    elif (service := rest[1].removeprefix("kensoku.")) in SERVICES:
        parser = argparse.ArgumentParser(prog=rest[1])
        add_flags(parser, SERVICES[service])
        load_settings(SERVICES[service], overrides(parser.parse_args(rest[2:]), SERVICES[service]))
    elif rest[1].startswith("benchmarks."):
        assert (ROOT / rest[1].replace(".", "/")).with_suffix(".py").exists()


@pytest.mark.parametrize(("page", "command"), COMMANDS, ids=[f"{page}: {command}" for page, command in COMMANDS])
def test_a_command_of_a_page_is_one_that_the_program_takes(
    page: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        try_out(command)
    except SystemExit:
        pytest.fail(f"{page}: {command}: {capsys.readouterr().err}")


@pytest.mark.parametrize("command", CONTAINED)
def test_a_container_s_command_is_one_that_the_program_takes(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KENSOKU_ACQUISITION_SOURCE", "/archive")
    try_out(command)
    module = shlex.split(command)
    if module[0] == "python":
        assert importlib.util.find_spec(f"{module[2]}.__main__")
