"""Response models with units and meaning of each field; tests validate every answer against them."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, create_model

from api.fields import FIELDS
from geo.places.model import PlaceKind
from geo.reach.modes import Mode
from geo.sites import standard
from geo.sites.filters import BOOLEAN_FIELDS
from geo.sites.model import LIST_FIELDS, LOCAL_FIELDS, Position
from geo.territory.model import TerritoryKind


class ResponseModel(BaseModel):
    """Base of all response models; undocumented fields are refused."""

    model_config = ConfigDict(extra="forbid")


class SnapshotOut(ResponseModel):
    """The snapshot of the data used for the answer."""

    version: int = Field(description="Version of the data, incremented by each change.", examples=[12])
    taken_at: str = Field(
        description="When the snapshot was read, ISO 8601.", examples=["2026-11-02T09:00:00+00:00"]
    )


class TerritoryName(ResponseModel):
    """The territory served."""

    code: str = Field(description="INSEE code, as text.", examples=["47"])
    name: str = Field(examples=["Lot-et-Garonne"])


class SourceOut(ResponseModel):
    """Source of a set of data."""

    subject: str = Field(description="Subject of the data.")
    producer: str
    vintage: str = Field(description="Year or date of the data.")
    licence: str
    retrieved: str | None = Field(description="Retrieval date, YYYY-MM-DD.")


class RoadsSource(ResponseModel):
    """The road graph used to compute travel times."""

    producer: str
    format: str
    vintage: str = Field(description="Year or date of the road data.")
    licence: str
    checksum: str = Field(description="SHA-256 of the graph.")


class TravelMethod(ResponseModel):
    """Method used to compute travel times and distances."""

    code: Literal["roads", "straight_line"] = Field(
        description="`roads`: shortest time over the road graph; `straight_line`: estimated from distance."
    )
    label: str = Field(
        description="Display name of the method, in French.", examples=["estimation à vol d'oiseau"]
    )
    detour_factor: float = Field(description="Factor applied to straight-line distances.", examples=[1.3])
    speed_kmh: dict[Mode, float] | None = Field(
        description="Mean speed by mode, for straight-line estimates; null when times follow roads."
    )
    roads: RoadsSource | None = Field(description="Null without a road graph.")


class Stale(ResponseModel):
    """Present when the database is unavailable and the last known snapshot is served."""

    age_s: int = Field(description="Seconds since the snapshot was last confirmed as current.")
    message: str = Field(description="Message for end users, in French.")


class Meta(ResponseModel):
    """Sources, vintage and state of the data; display it with the answer."""

    territory: TerritoryName
    snapshot: SnapshotOut
    sites_updated: str | None = Field(description="Latest `date_maj` of the sites, YYYY-MM-DD.")
    attribution: str = Field(description="All sources and licences on one line.")
    sources: list[SourceOut]
    notice: str | None = Field(description="Warning to display, such as « Données de démonstration ».")
    stale: Stale | None


class AddressesSearched(ResponseModel):
    """Whether addresses were searched."""

    searched: bool = Field(description="False when no address file is loaded or the database is unavailable.")
    attribution: str | None = Field(description="Sources of the addresses; display it with them.")
    message: str | None = Field(description="Message to display when addresses were not searched, in French.")


class MetaOfPlaces(Meta):
    """Metadata with the state of the address search."""

    addresses: AddressesSearched


class MetaWithMethod(Meta):
    """Metadata with the travel time method."""

    method: TravelMethod


class PlaceOut(ResponseModel):
    """A place that matches the search."""

    id: str = Field(description="Stable identifier, usable in URLs.", examples=["commune-47001"])
    kind: PlaceKind
    label: str = Field(description="Display label.", examples=["12 rue de l'Exemple, 47000 Agen"])
    context: str = Field(description="Context that distinguishes places of the same name.")
    longitude: float = Field(description="WGS 84, degrees.", examples=[0.6161])
    latitude: float = Field(description="WGS 84, degrees.", examples=[44.2033])
    commune: str = Field(description="INSEE code of its commune.", examples=["47001"])
    score: float = Field(description="Match score, 0 to 1.")


class PlacesAnswer(ResponseModel):
    """Matching places, best first."""

    meta: MetaOfPlaces
    places: list[PlaceOut]


class StopOut(ResponseModel):
    """A stop of an itinerant place."""

    place: str
    day: str = Field(description="opening_hours day selector.", examples=["Tu", "Th[1]", "2026-12-03"])
    hours: str = Field(description="opening_hours time range.", examples=["09:00-12:00"])


class Point(ResponseModel):
    """A GeoJSON point, WGS 84: longitude, latitude (degrees)."""

    type: Literal["Point"]
    coordinates: tuple[float, float]


class Shape(ResponseModel):
    """A GeoJSON multipolygon, WGS 84: longitude, latitude (degrees)."""

    type: Literal["MultiPolygon"]
    coordinates: list[list[list[tuple[float, float]]]]


_BOOLEANS = frozenset({*BOOLEAN_FIELDS, "sur_rendez_vous"})


def _site_field(name: str) -> tuple[Any, Any]:
    about = FIELDS[name]
    kind: Any = str | None
    if name in LIST_FIELDS:
        kind = list[str]
    elif name == "arrets":
        kind = list[StopOut]
    elif name in ("latitude", "longitude"):
        kind = float | None
    elif name in _BOOLEANS:
        kind = bool | None
    elif name in ("id", "pivot", "nom", "commune", "code_postal", "adresse"):
        kind = str if name == "id" else str | None
    elif name == "position":
        kind = Position
    elif name == "fictif":
        kind = bool
    example = about.example
    if example is not None and kind == list[str]:
        example = [example]
    elif name in _BOOLEANS:
        example = True
    examples = None if example is None else [example]
    return Annotated[kind, Field(description=about.meaning, examples=examples)], ...


SITE_FIELDS: dict[str, tuple[Any, Any]] = {
    name: _site_field(name) for name in (*standard.FIELDS, *LOCAL_FIELDS)
}

SiteProperties = create_model(
    "SiteProperties",
    __base__=ResponseModel,
    __doc__="A place of digital mediation: the standard's 32 fields, then ours; absent is null or [].",
    **SITE_FIELDS,  # type: ignore[call-overload]
)


class NearbyProperties(SiteProperties):
    """A site with its travel time and distance from the origin."""

    minutes: float = Field(description="Travel time from the origin, minutes.", ge=0)
    method: Literal["roads", "straight_line"] = Field(description="Method used to compute the time.")
    distance_m: int = Field(description="Estimated distance from the origin, metres.", ge=0)
    distance_method: Literal["straight_line"] = Field(
        description="Method used to estimate the distance; always from the straight line."
    )


Properties = TypeVar("Properties")
Geometry = TypeVar("Geometry")


class Feature(ResponseModel, Generic[Geometry, Properties]):
    """A GeoJSON feature (RFC 7946)."""

    type: Literal["Feature"]
    id: str
    geometry: Geometry
    properties: Properties


class SiteFeature(Feature[Point | None, SiteProperties]):
    """A site; `geometry` is null when it is not located."""


class ValueOriginOut(ResponseModel):
    """Where the value of a field comes from."""

    field: str
    records: list[str] = Field(description="Keys of the records that hold it; empty for a correction.")
    rule: str = Field(description="Rule that chose it among the records.", examples=["freshest"])
    day: str | None = Field(description="Day of the value, YYYY-MM-DD.")
    corrected: bool = Field(description="Whether whoever keeps the list set it over the sources.")


class ConflictOut(ResponseModel):
    """A value that a record holds and that is not shown."""

    field: str
    value: Any
    record: str
    day: str | None = Field(description="Day of the record, YYYY-MM-DD.")


class SiteSourcesOut(ResponseModel):
    """Source records of a site, and how its values were chosen."""

    records: list[str] = Field(description="Keys of the records: dataset--identifier@source.")
    origins: list[ValueOriginOut]
    conflicts: list[ConflictOut]


class SiteAnswer(SiteFeature):
    """One site, with its sources."""

    sources: SiteSourcesOut
    meta: Meta


class PageLink(ResponseModel):
    """Link to this page or a neighbouring one."""

    rel: Literal["self", "next", "prev"]
    href: str
    type: str


class Pagination(ResponseModel):
    """A page of records."""

    total: int = Field(description="Number of records on all pages.")
    limit: int
    offset: int
    links: list[PageLink]


class SiteCollection(Pagination):
    """A page of sites, sorted by identifier."""

    type: Literal["FeatureCollection"]
    meta: Meta
    features: list[SiteFeature]


class NearbyFeature(Feature[Point, NearbyProperties]):
    """A site with its travel time and distance."""


class OriginOut(ResponseModel):
    """Origin of travel times and distances."""

    longitude: float = Field(description="WGS 84 degrees.")
    latitude: float = Field(description="WGS 84 degrees.")
    commune: str | None = Field(default=None, description="INSEE code, if the origin is a town hall.")
    site: str | None = Field(default=None, description="Site identifier, if the origin is a site.")
    label: str = Field(description="Description of the origin, in French.")


class NearbyCollection(ResponseModel):
    """Sites by increasing travel time."""

    type: Literal["FeatureCollection"]
    meta: MetaWithMethod
    origin: OriginOut
    features: list[NearbyFeature]


class TerritoryProperties(ResponseModel):
    """A commune or a grouping of communes."""

    kind: TerritoryKind
    kind_label: str = Field(description="French name of the level.")
    code: str
    name: str
    population: int = Field(description="Municipal population, inhabitants.")
    partial: bool = Field(description="Whether some of its communes are outside the territory served.")
    communes: list[str] = Field(description="INSEE codes of its communes; its own code for a commune.")
    postal_codes: list[str] = Field(default=[], description="Communes only.")
    epci: str | None = Field(default=None, description="Code of the intercommunal body; communes only.")
    canton: str | None = Field(default=None, description="Communes only.")
    arrondissement: str | None = Field(default=None, description="Communes only.")


class TerritoryFeature(Feature[Shape | None, TerritoryProperties]):
    """A territory; `geometry` is null unless requested."""


class TerritoryAnswer(TerritoryFeature):
    """One territory, with its sources."""

    meta: Meta


class TerritoryCollection(ResponseModel):
    """All territories of one kind, sorted by code."""

    type: Literal["FeatureCollection"]
    meta: Meta
    features: list[TerritoryFeature]


class TallyOut(ResponseModel):
    """Record counts of an import; `read` = `accepted` + `rejected` + `outside`."""

    read: int
    accepted: int
    rejected: int
    flagged: int
    repaired: int
    outside: int = Field(description="Rows beyond the territory and its margin, only counted.")


class ChangesOut(ResponseModel):
    """Record changes of an import."""

    new: int
    changed: int
    unchanged: int
    vanished: int


class ImportOut(ResponseModel):
    """An import run."""

    id: int
    file_name: str
    sha256: str = Field(description="SHA-256 of the imported file.")
    format: str = Field(description="Detected file format.", examples=["france-services"])
    label: str = Field(description="Display name of the format, in French.")
    licence: str
    datasets: list[str]
    started_at: str = Field(description="ISO 8601.")
    finished_at: str = Field(description="ISO 8601.")
    tally: TallyOut
    changes: ChangesOut


class ImportsAnswer(Pagination):
    """Import runs, latest first."""

    imports: list[ImportOut]


class IssueOut(ResponseModel):
    """A validation finding."""

    line: int = Field(description="Line of the file, row of the sheet or index of the record.")
    field: str
    value: str
    severity: Literal["rejected", "flagged", "repaired"]
    code: str
    reason: str = Field(description="In French.")
    advice: str = Field(description="In French.")


class ImportAnswer(Pagination):
    """An import run and a page of its findings."""

    run: ImportOut
    issues: list[IssueOut]


class Alive(ResponseModel):
    """Liveness of the process."""

    status: Literal["ok"]


class Ready(ResponseModel):
    """Readiness of the service."""

    status: Literal["ok", "degraded"]
    database_ok: bool
    snapshot: int = Field(description="Version of the snapshot served.")
    age_s: int = Field(description="Seconds since the snapshot was last confirmed as current.")
    message: str = Field(description="In French.")


class ProblemField(BaseModel):
    """An invalid parameter or body member."""

    parameter: str
    value: str
    detail: str = Field(description="Reason, in French.")


class Problem(BaseModel):
    """Error response (RFC 9457)."""

    type: str = Field(description="Always `about:blank`: see `status`.", examples=["about:blank"])
    title: str
    status: int
    detail: str = Field(description="Description of the error, in French.")
    instance: str = Field(description="Path of the request.")
    request_id: str | None = Field(
        default=None,
        description="Identifier of the request, as in the `X-Request-ID` header and the server log.",
    )
    advice: str | None = Field(default=None, description="How to resolve the error, in French.")
    errors: list[ProblemField] | None = Field(default=None, description="Invalid parameters (422).")
