"""Settings of the HTTP service, read from the environment by entry points and passed as values."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Final, Literal

import limits
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ANCESTOR: Final = re.compile(r"'self'|https?://(\*\.)?[A-Za-z0-9.-]+(:\d{1,5})?")


class ApiSettings(BaseSettings):
    """Settings of the HTTP service. Variables have the prefix `PORTEE_API_`."""

    model_config = SettingsConfigDict(env_prefix="PORTEE_API_", extra="ignore")

    origins: list[str] = Field(
        default=["*"],
        description="Sites whose pages may read the API (CORS), as a JSON list; the data are public.",
    )
    frame_ancestors: list[str] = Field(
        default=["'self'"],
        min_length=1,
        description=(
            "Sites that may show the embeddable pages in a frame, as a JSON list of origins "
            "(`https://www.example.org`, `https://*.example.org`) and `'self'`."
        ),
    )
    trusted_proxies: list[str] = Field(
        default=["127.0.0.1", "::1"],
        description=(
            "Addresses or networks of the proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` "
            "`portee serve` believes, as a JSON list."
        ),
    )
    search_rate: str = Field(
        default="300/minute",
        description="Searches one client may make, counted by each worker by itself; empty: no limit.",
    )
    form_rate: str = Field(
        default="10/hour",
        description="Forms one client may send, counted by each worker by itself; empty: no limit.",
    )
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto",
        description="Lines of the log: `json`, `text`, or `auto` (text on a terminal, else JSON).",
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
    contact: str = Field(
        default="",
        description="E-mail or address of a page by which readers reach who runs the service; empty: none.",
    )
    cached_filters: int = Field(
        default=128,
        ge=1,
        description="Different filters cached for one version of the data.",
    )

    @field_validator("frame_ancestors")
    @classmethod
    def _origins(cls, given: list[str]) -> list[str]:
        # Each goes into a header: only origins are allowed.
        for each in given:
            if not ANCESTOR.fullmatch(each):
                raise ValueError(f"{each!r} is neither 'self' nor an origin such as https://www.example.org")
        return given

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, given: list[str]) -> list[str]:
        for each in given:
            try:
                ip_network(each)
            except ValueError:
                # Not "*" either: clients could then forge their address.
                raise ValueError(f"{each!r} is not an address or network such as 10.0.0.0/8") from None
        return given

    @field_validator("search_rate", "form_rate")
    @classmethod
    def _rate(cls, given: str) -> str:
        given = given.strip()
        try:
            rates = limits.parse_many(given) if given else []
        except ValueError:
            rates = []
        if given and (len(rates) != 1 or rates[0].amount < 1):
            raise ValueError(f"{given!r} is not a rate such as 120/minute or 10/hour")
        return given
