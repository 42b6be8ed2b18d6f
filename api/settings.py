"""Settings of the HTTP side, read from the environment by entry points and handed on as values."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ApiSettings(BaseSettings):
    """How answers leave. Variables bear the prefix `PORTEE_API_`."""

    model_config = SettingsConfigDict(env_prefix="PORTEE_API_", extra="ignore")

    origins: list[str] = Field(
        default=["*"],
        description="Sites whose pages may read the API (CORS), as a JSON list; the data are public.",
    )
    cache_seconds: int = Field(
        default=60,
        ge=0,
        le=86_400,
        description="How long browsers and caches may keep an answer without asking again, in seconds.",
    )
    page_size: int = Field(
        default=100, ge=1, le=1_000, description="Records per page when `limit` is not given."
    )
    gzip_level: int = Field(
        default=5, ge=1, le=9, description="Effort of compression: 1 is quickest, 9 is smallest."
    )
    geocoder_url: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description=(
            "The State's geocoder (https://data.geopf.fr/geocodage/search), asked when our own search "
            "finds nothing good enough; empty: never asked."
        ),
    )
    cached_filters: int = Field(
        default=128,
        ge=1,
        description="Different filters kept ready for one state of the data.",
    )
