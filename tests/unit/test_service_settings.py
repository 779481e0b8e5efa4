"""The settings of all services: what they take over from the parts that they are for, and where they are told."""

import re
from pathlib import Path

import pytest

from kensoku.acquisition.settings import AcquisitionSettings
from kensoku.associating import AssociationSettings, WatchSettings
from kensoku.association.settings import AssociationServiceSettings
from kensoku.catalog.settings import CatalogSettings
from kensoku.cli._run_settings import RunSettings
from kensoku.detection import MOST_PICKS
from kensoku.locating import LocationSettings
from kensoku.location.settings import LocationServiceSettings
from kensoku.magnitudes import DEFAULT_FORMULAS
from kensoku.settings import ServiceSettings, flag, load_settings, misspelt_beside_others, variable
from kensoku.triggering.settings import TriggeringSettings

DOCS = Path(__file__).parents[2] / "docs"
PAGES: dict[type[ServiceSettings], str] = {
    AcquisitionSettings: "acquisition.md",
    TriggeringSettings: "triggering.md",
    AssociationServiceSettings: "association.md",
    LocationServiceSettings: "events.md",
    CatalogSettings: "catalog.md",
    RunSettings: "operations.md",
}


def test_defaults_are_those_of_the_parts_that_do_the_work() -> None:
    """Written down where the options are listed, since the parts take long to import."""
    associating, locating = load_settings(AssociationServiceSettings), load_settings(LocationServiceSettings)
    assert associating.engine == AssociationSettings()
    assert associating.watch == WatchSettings()
    parts = LocationSettings()
    assert (locating.location_deepest_km, locating.location_model_error) == (parts.deepest_km, parts.model_error)
    assert locating.location_formulas == ",".join(DEFAULT_FORMULAS)
    assert load_settings(TriggeringSettings).triggering_picks_a_minute == MOST_PICKS


@pytest.mark.parametrize("kind", PAGES)
def test_every_setting_is_told_on_the_page_of_its_service(kind: type[ServiceSettings]) -> None:
    page = "".join((DOCS / name).read_text("utf-8") for name in {PAGES[kind], "operations.md"})
    untold = []
    for name in kind.model_fields:
        short = re.escape(name.removeprefix(kind.flag_prefix).upper())
        is_told = variable(name) in page or re.search(rf"`_?{short}`", page)
        if not is_told and f"`{flag(name, kind.flag_prefix)}`" not in page:
            untold.append(name)
    assert untold == []


@pytest.mark.parametrize("kind", [kind for kind in PAGES if kind.flag_prefix])
def test_settings_of_other_services_are_not_taken_for_misspelt_ones(kind: type[ServiceSettings]) -> None:
    environment = {variable(name): "" for other in PAGES for name in other.model_fields}
    found = misspelt_beside_others(kind, environment | {"KENSOKU_ARCHIVE": "", "KENSOKU_CACHE": ""})
    assert found == []
