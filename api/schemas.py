"""What goes out, described: units and meanings of every field. Tests hold each answer against these."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, create_model

from api.fields import FIELDS
from geo.coverage.measure import Supply
from geo.places.model import PlaceKind
from geo.reach.modes import Mode
from geo.sites import standard
from geo.sites.filters import BOOLEAN_FIELDS, FILTERABLE
from geo.sites.model import LOCAL_FIELDS, Position
from geo.territory.model import TerritoryKind


class ResponseModel(BaseModel):
    """Base of all answers: nothing is sent that is not described."""

    model_config = ConfigDict(extra="forbid")


class SnapshotOut(ResponseModel):
    """Which state of the data answered."""

    version: int = Field(description="Grows by one with each change of the data.", examples=[12])
    taken_at: str = Field(
        description="When this state was read, ISO 8601.", examples=["2026-11-02T09:00:00+00:00"]
    )


class TerritoryName(ResponseModel):
    """The territory served."""

    code: str = Field(description="INSEE code, as text.", examples=["47"])
    name: str = Field(examples=["Lot-et-Garonne"])


class SourceOut(ResponseModel):
    """Where a set of facts comes from."""

    subject: str = Field(description="What the facts are about.")
    producer: str
    vintage: str = Field(description="Year or date the facts stand for.")
    licence: str
    retrieved: str | None = Field(description="Day the facts were fetched, YYYY-MM-DD.")


class RoadsSource(ResponseModel):
    """The road graph times were computed over."""

    producer: str
    format: str
    vintage: str = Field(description="Year or date the roads stand for.")
    licence: str
    checksum: str = Field(description="SHA-256 of the graph: the same roads have the same one.")


class TravelMethod(ResponseModel):
    """How times and distances are had."""

    code: Literal["roads", "straight_line"] = Field(
        description="Times by the quickest way on roads, or estimated from straight lines."
    )
    label: str = Field(
        description="How to name the method to readers, in French.", examples=["estimation à vol d'oiseau"]
    )
    detour_factor: float = Field(
        description="Every distance is the straight line times this.", examples=[1.3]
    )
    speed_kmh: dict[Mode, float] | None = Field(
        description="Without roads: mean speed along that distance, by mode; null by road."
    )
    roads: RoadsSource | None = Field(description="Null without roads.")


class Stale(ResponseModel):
    """Said when the database does not answer and the last known state is served."""

    age_s: int = Field(description="Seconds since this was last known to be the current state.")
    message: str = Field(description="The same for readers, in French.")


class Meta(ResponseModel):
    """Sources, vintage and state of what is answered; to be shown with it."""

    territory: TerritoryName
    snapshot: SnapshotOut
    sites_updated: str | None = Field(description="Latest `date_maj` of the sites, YYYY-MM-DD.")
    attribution: str = Field(description="One line that names all sources and licences.")
    sources: list[SourceOut]
    notice: str | None = Field(
        description="A warning to show to readers, such as « Données de démonstration »."
    )
    stale: Stale | None


class AddressesSearched(ResponseModel):
    """Whether addresses were among what was searched."""

    searched: bool = Field(description="False when no address file is loaded, or the database is away.")
    attribution: str | None = Field(description="Sources of addresses, to be shown with them.")
    message: str | None = Field(description="What to tell readers when addresses were not searched.")


class MetaOfPlaces(Meta):
    """The same, with what places were looked for in."""

    addresses: AddressesSearched


class MetaWithMethod(Meta):
    """The same, with the method of times and distances."""

    method: TravelMethod


class PlaceOut(ResponseModel):
    """A place somebody may mean."""

    id: str = Field(description="Stable, fit for an address on the web.", examples=["commune-47001"])
    kind: PlaceKind
    label: str = Field(description="What a reader sees.", examples=["12 rue de l'Exemple, 47000 Agen"])
    context: str = Field(description="A few words that tell it from others of its name.")
    longitude: float = Field(description="WGS 84, degrees.", examples=[0.6161])
    latitude: float = Field(description="WGS 84, degrees.", examples=[44.2033])
    commune: str = Field(description="INSEE code of the commune it lies in.", examples=["47001"])
    score: float = Field(description="How well it answers what was typed, from 0 to 1.")


class PlacesAnswer(ResponseModel):
    """Places found, best first."""

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
    __base__=ResponseModel,
    __doc__="A place of digital mediation: the standard's 32 fields, then ours; absent is null or [].",
    **SITE_FIELDS,  # type: ignore[call-overload]
)


class NearbyProperties(SiteProperties):
    """The same, with how far it is."""

    minutes: float = Field(description="Travel time from the origin, minutes.", ge=0)
    method: Literal["roads", "straight_line"] = Field(description="How the time is had.")
    distance_m: int = Field(description="Estimated distance from the origin, metres.", ge=0)
    distance_method: Literal["straight_line"] = Field(
        description="How the distance is estimated: always from the straight line."
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


class SiteAnswer(SiteFeature):
    """One site, with its sources."""

    meta: Meta


class PageLink(ResponseModel):
    """Where the neighbouring pages are."""

    rel: Literal["self", "next", "prev"]
    href: str
    type: str


class Pagination(ResponseModel):
    """A page of records."""

    total: int = Field(description="Records found, on all pages.")
    limit: int
    offset: int
    links: list[PageLink]


class SiteCollection(Pagination):
    """A page of sites, sorted by identifier."""

    type: Literal["FeatureCollection"]
    meta: Meta
    features: list[SiteFeature]


class NearbyFeature(Feature[Point, NearbyProperties]):
    """A site and its distance."""


class OriginOut(ResponseModel):
    """Where distances are measured from."""

    longitude: float = Field(description="WGS 84 degrees.")
    latitude: float = Field(description="WGS 84 degrees.")
    commune: str | None = Field(default=None, description="INSEE code, when the origin is a town hall.")
    site: str | None = Field(default=None, description="Identifier, when the origin is a site.")
    label: str = Field(description="The origin in words, in French.")


class NearbyCollection(ResponseModel):
    """Sites, soonest reached first."""

    type: Literal["FeatureCollection"]
    meta: MetaWithMethod
    origin: OriginOut
    features: list[NearbyFeature]


class TerritoryProperties(ResponseModel):
    """A commune or a grouping of communes."""

    kind: TerritoryKind
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


class TerritoryCollection(ResponseModel):
    """All territories of one kind, sorted by code."""

    type: Literal["FeatureCollection"]
    meta: Meta
    features: list[TerritoryFeature]


class ShareWithin(ResponseModel):
    """People within a travel time."""

    within_min: int = Field(description="Threshold, minutes.")
    share: float | None = Field(description="Fraction of the people, 0 to 1; null without people.")
    people: float


class AccessOut(ResponseModel):
    """Coverage of one territory."""

    kind: TerritoryKind
    code: str
    name: str
    population: int = Field(description="Municipal population, inhabitants.")
    people: float = Field(description="Persons counted, of the population asked for.")
    site_count: int = Field(description="Suitable sites of the territory, located or not.")
    nearest_site_id: str | None = Field(
        description="Site that is nearest for most people, across the border too."
    )
    median_min: float | None = Field(
        description="Minutes that half of the people do not exceed; null when half can reach no site."
    )
    share_within: list[ShareWithin]
    people_beyond: float = Field(description="Persons farther than `beyond_min`.")
    supply: float = Field(
        description="Accessible supply (floating catchment), mean of the people; unit: `supply_unit`."
    )
    open_hours: float = Field(
        description="Hours a week during which a suitable site within `beyond_min` is open, mean."
    )
    gap: float = Field(description="Persons × need × minutes beyond `beyond_min`, summed.")
    gap_rank: int | None = Field(description="1 for the largest gap; null where there is none.")


_FILTERS: dict[str, tuple[Any, Any]] = {
    name: (list[str] | None, Field(default=None, description="Accepted values; absent: any."))
    for name in FILTERABLE
}

QuestionParameters = create_model(
    "QuestionParameters",
    __base__=ResponseModel,
    __doc__="A question under the names it can be asked by: this object can be sent back as it is.",
    mode=(Mode, ...),
    slot=(str | None, Field(description="As written; null: whatever the hours.")),
    minutes=(list[int], Field(description="Thresholds, minutes.")),
    beyond_min=(int, ...),
    population=(Literal["all", "65"], ...),
    weights=(str | None, Field(description="Indicators that weigh need, each with its weight.")),
    supply=(Supply, ...),
    decay=(str, ...),
    **_FILTERS,  # type: ignore[call-overload]
)


class QuestionOut(ResponseModel):
    """What was asked, as it was understood."""

    sentence: str = Field(description="In French.", examples=["en voiture · Gratuit · ouvert le samedi"])
    parameters: QuestionParameters


class PeopleOut(ResponseModel):
    """Where people are counted, and who says so; null where it is the territory's own population."""

    label: str = Field(description="In French.", examples=["habitants comptés à la mairie"])
    count: float = Field(description="Persons counted, of the population asked for.")
    producer: str | None
    vintage: str | None
    licence: str | None


class WeightOut(ResponseModel):
    """An indicator that weighs need."""

    code: str
    name: str
    weight: float = Field(description="0 to 1.")
    producer: str
    vintage: str
    communes_untold: int = Field(description="Communes it says nothing of; they have the mean's value.")


class UncertaintyOut(ResponseModel):
    """How sure the sites counted are, and how far the share within `beyond_min` moves without some."""

    sites: int = Field(description="Suitable sites, located or not.")
    unlocated: int = Field(description="Of them, without a point: they reach nobody.")
    approximate: int = Field(description="Of them, placed at the town hall only.")
    stale: int = Field(description="Of them, not checked for half a year, or without a date.")
    hours_unknown: int = Field(description="Of them, with hours that can't be told.")
    share: float | None = Field(description="People within `beyond_min`, 0 to 1; null without people.")
    share_without_approximate: float | None = Field(description="The same without those sites.")
    share_without_stale: float | None = Field(description="The same without those sites.")
    share_if_unknown_open: float | None = Field(description="The same, unknown hours taken as open.")
    sentences: list[str] = Field(description="All of it, in French.")


class FarFromRoad(ResponseModel):
    """Places people are counted at that lie far from any road; they are not left out."""

    beyond_m: int = Field(description="What far means, metres.")
    places: int
    people: float


class TimeClassOut(ResponseModel):
    """People whose time to the nearest site is above one bound and at most another."""

    label: str = Field(description="In French.")
    above_min: float | None = Field(description="Minutes; null for those out of reach.")
    up_to_min: float | None = Field(description="Minutes; null where there is no bound.")
    people: float


class EquityOut(ResponseModel):
    """How evenly access is spread over people."""

    gini: float | None = Field(description="Of accessible supply, 0 to 1; null where there is none.")
    worst_tenth_min: float | None = Field(
        description="Mean minutes of the worst-served tenth; null where some of them reach no site."
    )
    worst_tenth_supply: float | None = Field(description="Mean accessible supply of the worst-served tenth.")
    lorenz: list[tuple[float, float]] = Field(
        description="Share of people, worst served first, and of accessible supply; [] where there is none."
    )
    by_time: list[TimeClassOut]


class CoverageContextOut(ResponseModel):
    """What was asked, how people are counted, and what weighs them."""

    meta: MetaWithMethod
    question: QuestionOut
    people: PeopleOut
    weights: list[WeightOut]


class CoverageAbout(CoverageContextOut):
    """What holds of all the territories of an answer together."""

    kind: TerritoryKind
    supply_unit: str = Field(description="In French.")
    uncertainty: UncertaintyOut
    unlocated: int = Field(description="Suitable sites that have no point.")
    far_from_road: FarFromRoad
    equity: EquityOut


class CoverageAnswer(CoverageAbout):
    """Coverage of every territory of one kind, sorted by code."""

    territories: list[AccessOut]


class CoverageFeature(Feature[Shape, AccessOut]):
    """A territory drawn, with its coverage."""


class CoverageCollection(CoverageAbout):
    """The same as GeoJSON."""

    type: Literal["FeatureCollection"]
    features: list[CoverageFeature]


class GapProperties(ResponseModel):
    """People of one commune, or of one place in it, who lack something."""

    rank: int = Field(description="1 for the largest gap.")
    commune: str = Field(description="INSEE code.")
    name: str = Field(description="Name of the commune.")
    people: float = Field(description="Persons farther than `beyond_min`.")
    minutes: float | None = Field(
        description="Their median time to the nearest suitable site; null when half can reach none."
    )
    gap: float = Field(description="Persons × need × minutes beyond.")
    nearest_site_id: str | None = Field(description="Suitable site nearest for most of them.")
    unsuitable_site_id: str | None = Field(
        description="Nearest site within `beyond_min` that does not suit, where there is one."
    )
    unsuitable_min: float | None = Field(description="Its time, minutes.")
    missing: list[str] = Field(description="What it lacks, in French.")
    sentence: str = Field(description="The gap told in French.")


class GapOut(GapProperties):
    """The same, with its place: for a commune, the one with most of its gap."""

    longitude: float = Field(description="WGS 84 degrees.")
    latitude: float = Field(description="WGS 84 degrees.")


class GapsAbout(CoverageContextOut):
    """What holds of all the gaps of an answer."""

    level: Literal["communes", "places"]


class GapsAnswer(GapsAbout):
    """Gaps, the largest first."""

    gaps: list[GapOut]


class GapFeature(Feature[Point, GapProperties]):
    """A gap at its place: for a commune, the one with most of its gap."""


class GapCollection(GapsAbout):
    """The same as GeoJSON."""

    type: Literal["FeatureCollection"]
    features: list[GapFeature]


class IsochroneProperties(ResponseModel):
    """What lies within a travel time."""

    minutes: int
    mode: Mode
    direction: Literal["to", "from"] = Field(description="To the origin, or from it.")
    people: float = Field(description="Inhabitants whose own time is within `minutes`.")


class IsochroneFeature(Feature[Shape, IsochroneProperties]):
    """An isochrone."""


class IsochroneCollection(ResponseModel):
    """Isochrones of one point, the longest time first; each holds the shorter ones."""

    type: Literal["FeatureCollection"]
    meta: MetaWithMethod
    origin: OriginOut
    people_label: str = Field(description="Where people are counted, in French.")
    features: list[IsochroneFeature]


class TallyOut(ResponseModel):
    """Counts of an import: `read` is always `accepted` + `rejected`."""

    read: int
    accepted: int
    rejected: int
    flagged: int
    repaired: int


class ChangesOut(ResponseModel):
    """What an import changed."""

    new: int
    changed: int
    unchanged: int
    vanished: int


class ImportOut(ResponseModel):
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


class ImportsAnswer(Pagination):
    """Imports, latest first."""

    imports: list[ImportOut]


class IssueOut(ResponseModel):
    """One finding of validation."""

    line: int = Field(description="Line of the file, row of the sheet or rank of the record.")
    field: str
    value: str
    severity: Literal["rejected", "flagged", "repaired"]
    code: str
    reason: str = Field(description="In French.")
    advice: str = Field(description="In French.")


class ImportAnswer(Pagination):
    """One import and a page of its findings."""

    run: ImportOut
    issues: list[IssueOut]


class Alive(ResponseModel):
    """The process lives."""

    status: Literal["ok"]


class Ready(ResponseModel):
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
    request_id: str | None = Field(
        default=None, description="Of the request, as its header `X-Request-ID` and the log say it."
    )
    advice: str | None = Field(default=None, description="What to do about it, in French.")
    errors: list[ProblemField] | None = Field(default=None, description="Refused parameters (422).")


class JobAsked(ResponseModel):
    """A job, and where to follow it."""

    id: str
    state: Literal["queued", "running", "done"]
    href: str = Field(description="Address of the job.", examples=["/api/v1/jobs/…"])


class SitedPlace(ResponseModel):
    """A place where a site would open."""

    name: str
    commune: str | None = Field(description="INSEE code, when the place is a town hall.")
    longitude: float = Field(description="WGS 84 degrees.")
    latitude: float = Field(description="WGS 84 degrees.")
    people_gained: float = Field(description="Persons newly within `within_min` thanks to it.")


class SitedOut(SitedPlace):
    """A site to open; the one that adds most comes first."""

    rank: int = Field(ge=1)
    people_cumulated: float = Field(description="With the sites before it.")
    minutes_saved: float = Field(
        description="Mean minutes the whole population saves with the sites so far; a time counts up to 120."
    )


class BusStopOut(SitedPlace):
    """A half-day of a tour."""

    half_day: str = Field(examples=["lundi matin"])
    driving_min: float = Field(description="Minutes to get there, and back if it ends the day.")


class SitingResult(ResponseModel):
    """Where the next sites should open, and how sure it is that no choice is better."""

    model: Literal["maximal_coverage", "p_median", "set_cover", "tour"]
    label: str = Field(description="The model in French.")
    status: Literal["optimal", "time_limit", "heuristic"] = Field(
        description="`optimal`: no choice is better; `time_limit`: stopped before that was proven."
    )
    method: str = Field(description="What found or proved the answer last.")
    gap: float | None = Field(description="|bound - objective| / objective.")
    bound: float | None = Field(description="No choice does better than this.")
    objective: float | None = Field(description="People × need, times seconds for `p_median`; or sites.")
    greedy_objective: float | None = Field(description="What the choice made at once reaches.")
    seconds: float = Field(description="Time the search took.")
    note: str = Field(description="A French sentence when the answer is shorter than asked for, or empty.")
    within_min: int
    people: float = Field(description="Persons counted.")
    served_before: float = Field(description="Persons within `within_min` of an existing site.")
    out_of_reach: float = Field(description="Persons neither an existing site nor a candidate serves.")
    question: QuestionOut
    travel: str = Field(description="How times are had, in French.")
    people_label: str = Field(description="Where people are counted, in French.")
    notice: str | None = Field(description="A warning to show to readers.")
    snapshot: SnapshotOut
    sites: list[SitedOut]
    tour: list[BusStopOut] = Field(description="Of the model `tour` only.")


class JobAnswer(ResponseModel):
    """A job as it stands."""

    id: str
    kind: Literal["siting"]
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    progress: float = Field(ge=0, le=1)
    message: str = Field(description="What is being done or, of a failed job, why; in French.")
    asked_at: str = Field(description="ISO 8601.")
    ended_at: str | None = Field(description="ISO 8601.")
    result: SitingResult | None = Field(description="Of a done job only.")


class Totals(ResponseModel):
    """Coverage of one territory in a few figures."""

    people_beyond: float = Field(description="Persons farther than `beyond_min`.")
    share_within: list[ShareWithin]
    median_min: float | None = Field(description="Minutes half of the people do not exceed.")
    supply: float = Field(description="Accessible supply per 1,000 of need.")
    gap: float = Field(description="Persons × need × minutes beyond `beyond_min`.")


class ChangeFigures(ResponseModel):
    """What changes for some people."""

    gaining: float = Field(description="Persons newly within `beyond_min`.")
    losing: float = Field(description="Persons no longer within `beyond_min`.")
    nearer: float = Field(description="Persons whose time shortens by a minute or more.")
    farther: float = Field(description="Persons whose time lengthens by a minute or more.")
    minutes: float | None = Field(description="Mean change of time, minutes; negative: nearer.")


class ChangeSummary(ChangeFigures):
    """What changes for the whole territory."""

    before: Totals
    after: Totals


class ChangeOut(ChangeFigures):
    """What changes for one territory."""

    kind: TerritoryKind
    code: str
    name: str
    people: float = Field(description="Persons counted.")
    supply: float = Field(description="Change of the accessible supply.")
    gap: float = Field(description="Change of the gap; negative: it closes.")


class EditedSite(ResponseModel):
    """A site that a scenario touches."""

    action: Literal["open", "close", "move", "hours"]
    name: str
    commune: str | None


class EditedSiteFeature(Feature[Point | None, EditedSite]):
    """The same on the map: where it stands, or stood when it is closed."""


class EditedSites(ResponseModel):
    """All of them, in the order of the edits."""

    type: Literal["FeatureCollection"]
    features: list[EditedSiteFeature]


class EvaluationAnswer(ResponseModel):
    """What edits of the sites change, and for whom."""

    meta: MetaWithMethod
    question: QuestionOut
    kind: TerritoryKind
    summary: ChangeSummary
    territories: list[ChangeOut]
    sites: EditedSites


class ScenarioOut(ResponseModel):
    """A scenario as it is kept."""

    id: int
    name: str
    description: str
    edits: list[dict[str, Any]]
    base_version: int = Field(description="Version of the data when it was last saved.")
    created_at: str = Field(description="ISO 8601.")
    updated_at: str = Field(description="ISO 8601.")


class ScenariosAnswer(ResponseModel):
    """All kept scenarios, by name."""

    scenarios: list[ScenarioOut]


class ComparedScenario(ResponseModel):
    """One scenario beside today's sites."""

    id: int
    name: str
    problem: str | None = Field(
        description="Why it cannot be evaluated any more, in French: the data have moved on."
    )
    summary: ChangeSummary | None
    territories: list[ChangeOut]


class ComparisonAnswer(ResponseModel):
    """Scenarios side by side, each against today."""

    meta: MetaWithMethod
    question: QuestionOut
    kind: TerritoryKind
    today: Totals
    scenarios: list[ComparedScenario]


class TrendTerritory(Totals):
    """One territory on one day."""

    code: str
    name: str
    sites: int = Field(description="Its suitable sites, located or not.")


class TrendState(Totals):
    """The whole territory on one day."""

    name: str = Field(description="Name the state is kept under; « Aujourd'hui » for the present.")
    day: str = Field(description="Day its data describe, YYYY-MM-DD.")
    sites: int = Field(description="Suitable sites of the territory, located or not.")
    territories: list[TrendTerritory] | None = Field(description="When `kind` is given.")


class TrendAnswer(ResponseModel):
    """The same question asked of dated states, oldest first; the present is the last."""

    meta: MetaWithMethod
    question: QuestionOut
    kind: TerritoryKind | None
    snapshots: list[TrendState]


class CandidateIn(ResponseModel):
    """A place where a site may open."""

    name: str = Field(max_length=200)
    longitude: float = Field(description="WGS 84 degrees.")
    latitude: float = Field(description="WGS 84 degrees.")


class SitingBody(ResponseModel):
    """Where should the next sites open?"""

    model: Literal["maximal_coverage", "p_median", "set_cover", "tour"]
    p: int = Field(default=3, ge=1, le=100, description="Sites to open; not for `set_cover` and `tour`.")
    within_min: int = Field(default=20, ge=1, le=120, description="Minutes within which people are served.")
    candidates: Literal["town_halls"] | list[CandidateIn] = Field(
        default="town_halls", description="Where a site may open: every town hall, or up to 1,000 points."
    )
    question: dict[str, Any] = Field(default={}, description="Parameters of `/coverage`, by name.")
    time_limit_s: int = Field(default=30, ge=1, le=120)
    half_days: list[str] = Field(
        default=[], description="`tour`: when the bus is free.", examples=[["lundi matin"]]
    )
    base: str = Field(default="", description="`tour`: INSEE code of the commune the bus leaves from.")


class EvaluationBody(ResponseModel):
    """What if?"""

    edits: list[dict[str, Any]] = Field(description="At most 200, told apart by `action`.")
    question: dict[str, Any] = Field(default={}, description="Parameters of `/coverage`, by name.")
    kind: TerritoryKind = TerritoryKind.COMMUNE


class ScenarioBody(ResponseModel):
    """A scenario to keep."""

    name: str = Field(max_length=200)
    description: str = Field(default="", max_length=2000)
    edits: list[dict[str, Any]] = Field(description="At most 200, told apart by `action`.")
