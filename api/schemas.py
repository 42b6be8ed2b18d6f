"""What goes out, described: units and meanings of every field. Tests hold each answer against these."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, create_model

from api.fields import FIELDS
from geo.sites import standard
from geo.sites.filters import BOOLEAN_FIELDS
from geo.sites.model import LOCAL_FIELDS, Position
from geo.territory.model import Kind


class Answer(BaseModel):
    """Base of all answers: nothing is sent that is not described."""

    model_config = ConfigDict(extra="forbid")


class SnapshotOut(Answer):
    """Which state of the data answered."""

    version: int = Field(description="Grows by one with each change of the data.", examples=[12])
    taken_at: str = Field(
        description="When this state was read, ISO 8601.", examples=["2026-11-02T09:00:00+00:00"]
    )


class TerritoryName(Answer):
    """The territory served."""

    code: str = Field(description="INSEE code, as text.", examples=["47"])
    name: str = Field(examples=["Lot-et-Garonne"])


class Source(Answer):
    """Where a set of facts comes from."""

    subject: str = Field(description="What the facts are about.")
    producer: str
    vintage: str = Field(description="Year or date the facts stand for.")
    licence: str
    retrieved: str | None = Field(description="Day the facts were fetched, YYYY-MM-DD.")


class Method(Answer):
    """How distances were estimated."""

    code: Literal["straight_line"]
    label: str = Field(
        description="How to name the method to readers, in French.", examples=["estimation à vol d'oiseau"]
    )
    detour_factor: float = Field(
        description="Every distance is the straight line times this.", examples=[1.3]
    )


class Stale(Answer):
    """Said when the database does not answer and the last known state is served."""

    age_s: int = Field(description="Seconds since this was last known to be the current state.")
    message: str = Field(description="The same for readers, in French.")


class Meta(Answer):
    """Sources, vintage and state of what is answered; to be shown with it."""

    territory: TerritoryName
    snapshot: SnapshotOut
    sites_updated: str | None = Field(description="Latest `date_maj` of the sites, YYYY-MM-DD.")
    attribution: str = Field(description="One line that names all sources and licences.")
    sources: list[Source]
    notice: str | None = Field(
        description="A warning to show to readers, such as « Données de démonstration »."
    )
    stale: Stale | None


class MetaWithMethod(Meta):
    """The same, with the method of distances."""

    method: Method


class StopOut(Answer):
    """A stop of an itinerant place."""

    place: str
    day: str = Field(description="opening_hours day selector.", examples=["Tu", "Th[1]", "2026-12-03"])
    hours: str = Field(description="opening_hours time range.", examples=["09:00-12:00"])


class Point(Answer):
    """A GeoJSON point, WGS 84: longitude, latitude (degrees)."""

    type: Literal["Point"]
    coordinates: tuple[float, float]


class Shape(Answer):
    """A GeoJSON multipolygon, WGS 84: longitude, latitude (degrees)."""

    type: Literal["MultiPolygon"]
    coordinates: list[list[list[tuple[float, float]]]]


def _site_field(name: str) -> tuple[Any, Any]:
    about = FIELDS[name]
    kind: Any = str | None
    if name in standard.MULTIVALUED or name == "signalements":
        kind = list[str]
    elif name == "arrets":
        kind = list[StopOut]
    elif name in ("latitude", "longitude"):
        kind = float | None
    elif name in BOOLEAN_FIELDS:
        kind = bool | None
    elif name in ("id", "pivot", "nom", "commune", "code_postal", "adresse"):
        kind = str if name == "id" else str | None
    elif name == "position":
        kind = Position
    elif name == "fictif":
        kind = bool
    example = about.example
    if name in standard.MULTIVALUED:
        example = [example]
    elif name in BOOLEAN_FIELDS:
        example = True
    examples = None if example is None else [example]
    return Annotated[kind, Field(description=about.meaning, examples=examples)], ...


SITE_FIELDS: dict[str, tuple[Any, Any]] = {
    name: _site_field(name) for name in (*standard.FIELDS, *LOCAL_FIELDS)
}

SiteProperties = create_model(
    "SiteProperties",
    __base__=Answer,
    __doc__="A place of digital mediation: the standard's 32 fields, then ours; absent is null or [].",
    **SITE_FIELDS,  # type: ignore[call-overload]
)


class NearbyProperties(SiteProperties):
    """The same, with how far it is."""

    distance_m: int = Field(description="Estimated distance from the origin, metres.", ge=0)
    method: Literal["straight_line"] = Field(description="How it was estimated.")


Properties = TypeVar("Properties")
Geometry = TypeVar("Geometry")


class Feature(Answer, Generic[Geometry, Properties]):
    """A GeoJSON feature (RFC 7946)."""

    type: Literal["Feature"]
    id: str
    geometry: Geometry
    properties: Properties


class SiteFeature(Feature[Point | None, SiteProperties]):
    """A site; `geometry` is null when it is not located."""


class SiteAnswer(SiteFeature):
    """One site, with its sources."""

    meta: Meta


class Link(Answer):
    """Where the neighbouring pages are."""

    rel: Literal["self", "next", "prev"]
    href: str
    type: str


class Page(Answer):
    """A page of records."""

    total: int = Field(description="Records found, on all pages.")
    limit: int
    offset: int
    links: list[Link]


class SiteCollection(Page):
    """A page of sites, sorted by identifier."""

    type: Literal["FeatureCollection"]
    meta: Meta
    features: list[SiteFeature]


class NearbyFeature(Feature[Point, NearbyProperties]):
    """A site and its distance."""


class Origin(Answer):
    """Where distances are measured from."""

    longitude: float = Field(description="WGS 84 degrees.")
    latitude: float = Field(description="WGS 84 degrees.")
    commune: str | None = Field(default=None, description="INSEE code, when the origin is a town hall.")
    site: str | None = Field(default=None, description="Identifier, when the origin is a site.")
    label: str = Field(description="The origin in words, in French.")


class NearbyCollection(Answer):
    """Sites, nearest first."""

    type: Literal["FeatureCollection"]
    meta: MetaWithMethod
    origin: Origin
    features: list[NearbyFeature]


class TerritoryProperties(Answer):
    """A commune or a grouping of communes."""

    kind: Kind
    kind_label: str = Field(description="The French word for the level.")
    code: str
    name: str
    population: int = Field(description="Municipal population, inhabitants.")
    partial: bool = Field(description="Whether it has further communes outside the territory served.")
    communes: list[str] = Field(description="INSEE codes of its communes; itself for a commune.")
    postal_codes: list[str] = Field(default=[], description="Communes only.")
    epci: str | None = Field(default=None, description="Code of the intercommunal body; communes only.")
    canton: str | None = Field(default=None, description="Communes only.")
    arrondissement: str | None = Field(default=None, description="Communes only.")


class TerritoryFeature(Feature[Shape | None, TerritoryProperties]):
    """A territory; `geometry` is null unless it was asked for."""


class TerritoryAnswer(TerritoryFeature):
    """One territory, with its sources."""

    meta: Meta


class TerritoryCollection(Answer):
    """All territories of one kind, sorted by code."""

    type: Literal["FeatureCollection"]
    meta: Meta
    features: list[TerritoryFeature]


class ShareWithin(Answer):
    """Inhabitants within a distance."""

    within_m: int = Field(description="Threshold, metres.")
    share: float | None = Field(description="Fraction of inhabitants, 0 to 1; null without inhabitants.")


class Access(Answer):
    """Access to sites in one territory."""

    kind: Kind
    code: str
    name: str
    population: int = Field(description="Inhabitants.")
    site_count: int = Field(description="Sites of the territory that meet the filters, located or not.")
    sites_per_10k: float | None = Field(description="The same per 10,000 inhabitants.")
    nearest_site_id: str | None = Field(description="Site that is nearest for most inhabitants.")
    nearest_distance_m: float | None = Field(
        description="Mean distance of inhabitants to their nearest site, metres; across the border too."
    )
    share_within: list[ShareWithin]
    gap_person_km: float | None = Field(
        description="Inhabitants times kilometres beyond `gap_beyond_m`, summed."
    )
    gap_rank: int | None = Field(description="1 for the largest gap; null where there is none.")


class CoverageParameters(Answer):
    """What was measured."""

    thresholds_m: list[int] = Field(description="Metres.")
    gap_beyond_m: int = Field(description="Metres.")
    filters: dict[str, list[str]] = Field(description="Field → accepted values.")
    people: str = Field(description="Where inhabitants are counted, in French.")


class CoverageAnswer(Answer):
    """Access of every territory of one kind, sorted by code."""

    meta: MetaWithMethod
    kind: Kind
    parameters: CoverageParameters
    unlocated: int = Field(description="Sites that meet the filters but have no point.")
    territories: list[Access]


class CoverageFeature(Feature[Shape, Access]):
    """A territory drawn, with its access."""


class CoverageCollection(Answer):
    """The same as GeoJSON."""

    type: Literal["FeatureCollection"]
    meta: MetaWithMethod
    kind: Kind
    parameters: CoverageParameters
    unlocated: int
    features: list[CoverageFeature]


class TallyOut(Answer):
    """Counts of an import: `read` is always `accepted` + `rejected`."""

    read: int
    accepted: int
    rejected: int
    flagged: int
    repaired: int


class ChangesOut(Answer):
    """What an import changed."""

    new: int
    changed: int
    unchanged: int
    vanished: int


class ImportOut(Answer):
    """One run of an import."""

    id: int
    file_name: str
    sha256: str = Field(description="Of the file imported.")
    format: str = Field(description="Format of the file, as recognised.", examples=["france-services"])
    label: str = Field(description="The format in French.")
    licence: str
    datasets: list[str]
    started_at: str = Field(description="ISO 8601.")
    finished_at: str = Field(description="ISO 8601.")
    tally: TallyOut
    changes: ChangesOut


class ImportsAnswer(Page):
    """Imports, latest first."""

    imports: list[ImportOut]


class IssueOut(Answer):
    """One finding of validation."""

    line: int = Field(description="Line of the file, row of the sheet or rank of the record.")
    field: str
    value: str
    severity: Literal["rejected", "flagged", "repaired"]
    code: str
    reason: str = Field(description="In French.")
    advice: str = Field(description="In French.")


class ImportAnswer(Page):
    """One import and a page of its findings."""

    run: ImportOut
    issues: list[IssueOut]


class Alive(Answer):
    """The process lives."""

    status: Literal["ok"]


class Ready(Answer):
    """What the service can answer from."""

    status: Literal["ok", "degraded"]
    database_ok: bool
    snapshot: int = Field(description="Version served.")
    age_s: int = Field(description="Seconds since it was last known to be the current state.")
    message: str = Field(description="In French.")


class ProblemField(BaseModel):
    """One refused parameter."""

    parameter: str
    value: str
    detail: str = Field(description="Why, in French.")


class Problem(BaseModel):
    """A failure (RFC 9457)."""

    type: str = Field(description="`about:blank`: the status tells the kind.", examples=["about:blank"])
    title: str
    status: int
    detail: str = Field(description="What went wrong, in French.")
    instance: str = Field(description="Path of the request.")
    advice: str | None = Field(default=None, description="What to do about it, in French.")
    errors: list[ProblemField] | None = Field(default=None, description="Refused parameters (422).")
