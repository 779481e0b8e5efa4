"""What may be set about the catalogue's database: KENSOKU_DATABASE and KENSOKU_CATALOG_*."""

from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from kensoku.settings import ServiceSettings


class CatalogSettings(ServiceSettings):
    flag_prefix: ClassVar[str] = "catalog_"

    @property
    def database_address(self) -> str:
        from kensoku.catalogue_store import default_address  # here: who lists the options needs no database

        return self.database or default_address(self.home)

    database: Annotated[
        str,
        Field(
            description="sqlite:///path or postgresql+psycopg://user@host:port/name; default: catalogue.sqlite in the "
            "home; a password belongs in the variable or in ~/.pgpass, not on the command line"
        ),
    ] = ""
    catalog_batch: Annotated[int, Field(gt=0, description="events that are written together at the most")] = 500
    catalog_database_wait_s: Annotated[
        float, Field(gt=0, description="how long the database may be away before the service ends")
    ] = 60.0
    catalog_topic_days: Annotated[
        float,
        Field(ge=35, description="after its last revision an event that is over leaves the topic; the database has it"),
    ] = 90.0
    catalog_agency: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{2,62}$",
            description="3 to 63 of a-z, 0-9, ., _ and -: who answers for the catalogue, in its public ids",
        ),
    ] = "local"
    catalog_author: Annotated[
        str, Field(min_length=1, max_length=128, description="who made automatic solutions, in exported files")
    ] = "kensoku"

    @field_validator("database")
    @classmethod
    def _without_query_password(cls, database: str) -> str:
        if "password=" in database.partition("?")[2]:
            raise ValueError("a password stands behind the ?, where logs would show it; write user:password@host")
        return database
