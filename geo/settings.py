"""Settings shared by all entry points, read from the environment.

No other module of `geo` reads the environment: functions receive settings as arguments.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from geo.hours.calendar import Zone

ROOT = Path(__file__).resolve().parent.parent
"""Root of the checkout, which holds `data/communes` and `.portee`."""


class Settings(BaseSettings):
    """Settings of the installation. Environment variables have the prefix `PORTEE_`."""

    model_config = SettingsConfigDict(env_prefix="PORTEE_", extra="ignore", populate_by_name=True)

    database_url: str | None = Field(
        default=None,
        validation_alias="DATABASE_URL",
        description=(
            "PostGIS server to use (postgresql://user:password@host:5432/portee). "
            "Unset: a private embedded cluster."
        ),
    )
    home: Path = Field(
        default=ROOT / ".portee",
        description="Folder of what Portée makes at run time: embedded cluster, rendered site.",
    )
    departement: str = Field(default="47", description="INSEE code of the territory served.")
    school_zone: Zone = Field(
        default="A",
        description="Zone of school holidays (A, B or C) that opening hours go by.",
    )
    territory_dir: Path = Field(
        default=ROOT / "data" / "communes",
        description="Folder of the territory files written by `portee territory build`.",
    )
    detour_factor: float = Field(
        default=1.3,
        ge=1,
        le=3,
        description="Road distance divided by straight-line distance, used while no road graph is loaded.",
    )
    action_kinds: Path | None = Field(
        default=None,
        description=(
            "TOML file of kinds of action that joins the shipped ones, or replaces what they declare."
        ),
    )
    public_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s/?#]+(/[^\s?#]*)?)?$",
        max_length=200,
        description=(
            "Address readers find the pages at (https://aide.example.fr), printed on paper. "
            "Empty: the one each request asks."
        ),
    )
    margin_km: float = Field(
        default=50,
        ge=0,
        le=2_000,
        description=(
            "How far outside the territory sites are imported and shown, in km; farther ones are counted."
        ),
    )
    import_max_mb: int = Field(
        default=100,
        ge=1,
        description="Largest file `portee import` accepts, in megabytes; larger ones are refused unread.",
    )
