from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, Field

from kensoku.errors import SettingInvalid
from kensoku.training.run_settings import read_tables
from kensoku.training.training_loop import Plan


class Meal(BaseModel):
    courses: Annotated[int, Field(gt=0)] = 3
    drinks: tuple[str, ...] = ()
    prices: tuple[float, ...] = ()
    is_hot: bool = True


def settings(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "run.toml"
    path.write_text(text)
    return path


def read_all(path: Path) -> Meal:
    tables = read_tables(path)
    tables.refuse_others(("meal",))
    return tables.read("meal", Meal)


def test_an_absent_table_is_all_default(tmp_path: Path) -> None:
    assert read_all(settings(tmp_path, "")) == Meal()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[meal]\n\ncourses = 0", r"run.toml:3: meal.courses: found 0: Input should be greater than 0"),
        ("[meal]\ncourses = true", r"run.toml:2: meal.courses: found True: Input should be a valid integer"),
        ("[meal]\ncourses = 1979-05-27", r"run.toml:2: meal.courses: found '1979-05-27'"),
        ("[meal]\ncourse = 2", r"run.toml:2: meal.course: found 'course', expected one of courses, drinks"),
        ("[meal]\nprices = [1, false]", r"run.toml:2: meal.prices.1: found False: Input should be a valid number"),
        ("[meal]\nis_hot = 1", r"run.toml:2: meal.is_hot: found 1: Input should be a valid boolean"),
        ("\n[meat]\n", r"run.toml:2: meat: found 'meat', expected one of meal"),
        ("meal = 1", r"run.toml:1: meal: found 1, expected a table \[meal\]"),
        ("[meal]\ndrinks = [\n'tea',\n7]", r"run.toml:4: meal.drinks.1: found 7"),
        ("[meal", "expected the settings of a training run, found none"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(SettingInvalid, match=expected):
        read_all(settings(tmp_path, text))


@pytest.mark.parametrize("setting", ["seed = 4294967296", "learning_rate = 1e300", "clip_norm = inf"])
def test_a_number_beyond_what_training_computes_with_is_refused(tmp_path: Path, setting: str) -> None:
    with pytest.raises(SettingInvalid, match=rf"run.toml:2: training.{setting.split()[0]}: found "):
        read_tables(settings(tmp_path, f"[training]\n{setting}")).read("training", Plan)
