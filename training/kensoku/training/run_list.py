"""The list of all models that are shipped, and how each is trained."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from kensoku.training.run_settings import Tables


class Entry(BaseModel):
    """One of [[runs]]."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str  # of its folder, here and in the repository
    model: str
    config: Path  # beside the list
    dataset: str  # a name, whose folder is given with the command
    description: str


def read_list(tables: Tables, models: tuple[str, ...]) -> list[Entry]:
    tables.refuse_others(("runs",))
    try:
        entries = TypeAdapter(list[Entry]).validate_python(tables.content.get("runs", []))
    except ValidationError as error:
        first = error.errors()[0]
        raise tables.mistake(("runs", *first["loc"]), f"found {first['input']!r}: {first['msg']}") from None
    for number, entry in enumerate(entries):
        if entry.model not in models:
            what = f"found {entry.model!r}, expected one of {', '.join(models)}"
            raise tables.mistake(("runs", number, "model"), what)
    return [each.model_copy(update={"config": tables.path.parent / each.config}) for each in entries]
