"""Settings of the maps, read from the environment."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PLAN_IGN: Final = (
    "https://data.geopf.fr/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0"
    "&LAYER=GEOGRAPHICALGRIDSYSTEMS.PLANIGNV2&STYLE=normal&FORMAT=image/png"
    "&TILEMATRIXSET=PM&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}"
)
"""Plan IGN v2 of the French Géoplateforme, as WMTS on the Web Mercator pyramid; free, no key."""


class MapSettings(BaseSettings):
    """Settings of the maps; environment variables have the prefix `PORTEE_MAP_`."""

    model_config = SettingsConfigDict(env_prefix="PORTEE_MAP_", extra="ignore")

    title: str = Field(
        default="Où trouver de l'aide au numérique ?",
        description="Title of the page; the territory's name follows it.",
    )
    tiles_url: str = Field(
        default=PLAN_IGN,
        description="Address of the base map's tiles, with {x}, {y} and {z}; empty for no base map.",
    )
    tiles_attribution: str = Field(
        default="© IGN – Géoplateforme", description="Who made the base map, shown on it."
    )
    tiles_max_zoom: int = Field(default=19, ge=1, le=22, description="Deepest zoom the tiles have.")
    tolerance_m: float = Field(
        default=80,
        ge=0,
        le=2_000,
        description="How far drawn boundaries may stray from the true ones, in metres.",
    )

    @property
    def tiles_origin(self) -> str:
        """Scheme and host of the tile server, the only other host that a page may request; "" for none."""
        parts = urlsplit(self.tiles_url)
        return f"{parts.scheme}://{parts.netloc}".replace("{s}", "*") if parts.netloc else ""
