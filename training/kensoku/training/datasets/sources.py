"""What a description can name as sources, each with what is known of its labels."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from kensoku.errors import SettingInvalid
from kensoku.training.datasets.catalogue import Catalogue, find_catalogue
from kensoku.training.datasets.completing import Completion
from kensoku.training.datasets.conditions import Conditions
from kensoku.training.datasets.continuous import Continuous, PickColumns, find_continuous
from kensoku.training.datasets.labels import LabelRule
from kensoku.training.datasets.records import Record
from kensoku.training.datasets.seisbench import SeisBenchFolder, find_seisbench, metadata_files
from kensoku.training.datasets.simulated import find_simulated, simulated_files
from kensoku.training.datasets.spikes import find_spikes
from kensoku.training.datasets.windows_file import Columns, WindowsFile, find_windows
from kensoku.training.examples import Kind

Folders = Mapping[str, Path]  # by the names of `--data NAME=DIR`
Share = Annotated[float, Field(ge=0, le=1)]
Length = Annotated[float, Field(gt=0, allow_inf_nan=False)]  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What every source has."""

    name: str
    path: str  # `{recorded}/windows/a.h5`, where the call says what `recorded` is
    licence: str
    region: str = "unknown"
    develop_share: Share | None = None  # None: as the split says
    conditions: Conditions = field(default_factory=Conditions)

    def templates(self) -> tuple[str, ...]:
        """Its paths."""
        return (self.path,)

    def place(self, folders: Folders) -> Path:
        return resolve(self.path, folders)

    def inputs(self, folders: Folders) -> list[Path]:
        """Files whose hashes the manifest keeps."""
        return [self.place(folders)]

    def records(self, folders: Folders) -> Iterator[Record]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows(Named):
    """An HDF5 file of X, scale, p and s with a table of the same name beside it."""

    kind: Literal["windows"] = "windows"
    columns: Columns
    labels: LabelRule = field(default_factory=LabelRule)
    events: Kind = "earthquake"
    complete: Completion | None = None

    def templates(self) -> tuple[str, ...]:
        return (self.path, self.complete.picks) if self.complete else (self.path,)

    def inputs(self, folders: Folders) -> list[Path]:
        found = [resolve(self.complete.picks, folders)] if self.complete else []
        return [self.place(folders), self.place(folders).with_suffix(".csv"), *found]

    def records(self, folders: Folders) -> Iterator[Record]:
        file = WindowsFile(
            path=self.place(folders),
            source=self.name,
            region=self.region,
            columns=self.columns,
            rule=self.labels,
            kind=self.events,
            found=resolve(self.complete.picks, folders) if self.complete else None,
            trust=self.complete,
        )
        return self.conditions.take_rows(find_windows(file), file.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinuousRecords(Named):
    """A file of continuous records, and a table of picks."""

    kind: Literal["continuous"] = "continuous"
    picks: str = ""
    window_s: Length = 60.0
    is_noise: bool = False  # picks are then what is not to be taken for noise
    columns: PickColumns = field(default_factory=PickColumns)
    labels: LabelRule = field(default_factory=LabelRule)

    def templates(self) -> tuple[str, ...]:
        return (self.path, self.picks)

    def inputs(self, folders: Folders) -> list[Path]:
        return [self.place(folders), *([resolve(self.picks, folders)] if self.picks else [])]

    def records(self, folders: Folders) -> Iterator[Record]:
        return find_continuous(
            Continuous(
                path=self.place(folders),
                picks=resolve(self.picks, folders) if self.picks else None,
                source=self.name,
                region=self.region,
                window_s=self.window_s,
                is_noise=self.is_noise,
                columns=self.columns,
                rule=self.labels,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SeisBench(Named):
    """A folder with metadata.csv and waveforms.hdf5."""

    kind: Literal["seisbench"] = "seisbench"
    labels: LabelRule = field(default_factory=LabelRule)

    def inputs(self, folders: Folders) -> list[Path]:
        found = metadata_files(self.place(folders))
        return [*found, *sorted(self.place(folders).glob("waveforms*.hdf5"))]

    def records(self, folders: Folders) -> Iterator[Record]:
        folder = SeisBenchFolder(path=self.place(folders), source=self.name, region=self.region, rule=self.labels)
        return self.conditions.take_rows(find_seisbench(folder), folder.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueRecords(Named):
    """QuakeML, and the folder of an archive or of what a web service gave."""

    kind: Literal["catalogue"] = "catalogue"
    events: str
    service: str = ""
    before_s: Length = 30.0  # of the first pick
    after_s: Length = 60.0  # of the last
    manual_only: bool = True
    authors: tuple[str, ...] = ()  # whose picks are trusted
    labels: LabelRule = field(default_factory=lambda: LabelRule(is_searched=False))

    def templates(self) -> tuple[str, ...]:
        return (self.path, self.events)

    def inputs(self, folders: Folders) -> list[Path]:
        return [resolve(self.events, folders)]

    def records(self, folders: Folders) -> Iterator[Record]:
        return find_catalogue(
            Catalogue(
                events=resolve(self.events, folders),
                archive=self.place(folders),
                service=self.service,
                source=self.name,
                region=self.region,
                before_s=self.before_s,
                after_s=self.after_s,
                manual_only=self.manual_only,
                authors=self.authors,
                rule=self.labels,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spikes(Named):
    """Windows of one component without earthquakes, `X` and `label` in HDF5."""

    kind: Literal["spikes"] = "spikes"

    def records(self, folders: Folders) -> Iterator[Record]:
        return find_spikes(self.place(folders), self.name, self.region)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated(Named):
    """A folder that `kensoku simulate windows` wrote."""

    kind: Literal["simulated"] = "simulated"

    def inputs(self, folders: Folders) -> list[Path]:
        return simulated_files(self.place(folders))

    def records(self, folders: Folders) -> Iterator[Record]:
        return find_simulated(self.place(folders), self.name)


Source = Annotated[
    Windows | ContinuousRecords | SeisBench | CatalogueRecords | Spikes | Simulated, Field(discriminator="kind")
]


def resolve(template: str, folders: Folders) -> Path:
    try:
        return Path(template.format_map({name: str(folder) for name, folder in folders.items()}))
    except KeyError as error:
        name = error.args[0]
        raise SettingInvalid(f"found no folder for {{{name}}} in {template!r}; expected `--data {name}=DIR`") from None
    except (ValueError, AttributeError, TypeError) as error:
        told = f"found {template!r}, which cannot be filled in: {error}"
        raise SettingInvalid(f"{told}; expected names of folders in braces, such as {{recorded}}/a.h5") from None
