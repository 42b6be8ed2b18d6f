"""Response models of coverage, gaps and isochrones."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, create_model

from api.schemas import Feature, MetaWithMethod, OriginOut, Point, ResponseModel, Shape
from geo.coverage.measure import Supply
from geo.reach.modes import Mode
from geo.sites.filters import FILTERABLE
from geo.territory.model import TerritoryKind


class ShareWithin(ResponseModel):
    """Population within a travel time."""

    within_min: int = Field(description="Threshold, minutes.")
    share: float | None = Field(description="Fraction of the population, 0 to 1; null if nobody lives there.")
    people: float


class AccessOut(ResponseModel):
    """Coverage of one territory."""

    kind: TerritoryKind
    code: str
    name: str
    population: int = Field(description="Municipal population, inhabitants.")
    people: float = Field(description="Population counted (see `population` in the question).")
    site_count: int = Field(
        description="Sites counted in the territory: suitable and, with a slot, known to be open then."
    )
    site_count_low: int = Field(description="The same if all undecided questions were one place.")
    nearest_site_id: str | None = Field(
        description="Nearest site for the largest share of the population, including sites across the border."
    )
    median_min: float | None = Field(
        description="Median travel time, minutes; null if at least half of the population reaches no site."
    )
    share_within: list[ShareWithin]
    people_beyond: float = Field(description="Population farther than `beyond_min`.")
    supply: float = Field(
        description="Accessible supply (floating catchment), population mean, in `supply_unit`."
    )
    supply_low: float = Field(description="The same if all undecided questions were one place.")
    open_hours: float = Field(
        description="Mean weekly hours during which a suitable site within `beyond_min` is open."
    )
    gap: float = Field(description="Sum of population × need × minutes beyond `beyond_min`.")
    gap_rank: int | None = Field(description="Rank of the gap, 1 is the largest; null without gap.")


_FILTERS: dict[str, tuple[Any, Any]] = {
    name: (list[str] | None, Field(default=None, description="Accepted values; any if absent."))
    for name in FILTERABLE
}

QuestionParameters = create_model(
    "QuestionParameters",
    __base__=ResponseModel,
    __doc__="Parameters of a coverage question; can be sent back unchanged.",
    mode=(Mode, ...),
    slot=(str | None, Field(description="Opening slot; null for any hours.")),
    minutes=(list[int], Field(description="Travel time thresholds, minutes.")),
    beyond_min=(int, ...),
    population=(Literal["all", "65"], ...),
    weights=(str | None, Field(description="Need indicators with their weights.")),
    supply=(Supply, ...),
    decay=(str, ...),
    **_FILTERS,  # type: ignore[call-overload]
)


class QuestionOut(ResponseModel):
    """The coverage question as interpreted by the service."""

    sentence: str = Field(description="In French.", examples=["en voiture · Gratuit · ouvert le samedi"])
    parameters: QuestionParameters


class PeopleOut(ResponseModel):
    """Population data used; producer, vintage and licence are null for the municipal population."""

    label: str = Field(description="In French.", examples=["habitants comptés à la mairie"])
    count: float = Field(description="Population counted (see `population` in the question).")
    producer: str | None
    vintage: str | None
    licence: str | None


class WeightOut(ResponseModel):
    """A need indicator and its weight."""

    code: str
    name: str
    weight: float = Field(description="0 to 1.")
    producer: str
    vintage: str
    communes_untold: int = Field(description="Number of communes without a value; the mean is used for them.")


class UncertaintyOut(ResponseModel):
    """Data quality of the sites counted, and sensitivity of the share within `beyond_min` to it."""

    sites: int = Field(description="Suitable sites, located or not.")
    unlocated: int = Field(description="Sites without coordinates: they serve nobody.")
    approximate: int = Field(description="Sites located at the town hall only.")
    stale: int = Field(description="Sites not checked for six months, or without a date.")
    hours_unknown: int = Field(description="Sites whose opening hours are unknown.")
    share: float | None = Field(
        description="Share of the population within `beyond_min`, 0 to 1; null if nobody lives there."
    )
    share_without_approximate: float | None = Field(description="Share without approximate sites.")
    share_without_stale: float | None = Field(description="Share without stale sites.")
    share_if_unknown_open: float | None = Field(description="Share if sites with unknown hours are open.")
    sentences: list[str] = Field(description="Summary, in French.")


class SitesBetween(ResponseModel):
    """Number of places that sites are."""

    low: int = Field(description="If all undecided questions were one place.")
    high: int = Field(description="If none were, as all other figures count.")


class SupplyBetween(ResponseModel):
    """Mean accessible supply of the population, in `supply_unit`."""

    low: float = Field(description="If all undecided questions were one place: the larger supply counts.")
    high: float = Field(description="If none were, as all other figures count.")


class UndecidedOut(ResponseModel):
    """What pairs of sites that may be one place, and that nobody has decided, change."""

    questions: int = Field(description="Pairs among the suitable sites.")
    sites: SitesBetween = Field(description="Suitable sites, across the border too.")
    territory_questions: int = Field(description="Pairs among the sites counted in the territory.")
    territory_sites: SitesBetween = Field(description="Sites counted in the territory.")
    supply: SupplyBetween
    sentences: list[str] = Field(description="Summary, in French; empty if nothing changes.")


class FarFromRoad(ResponseModel):
    """Population locations far from any road; they are still counted."""

    beyond_m: int = Field(description="Distance threshold, metres.")
    places: int
    people: float


class TimeClassOut(ResponseModel):
    """Population in a class of travel time to the nearest site."""

    label: str = Field(description="In French.")
    above_min: float | None = Field(
        description="Lower bound (excluded), minutes; null for the class out of reach."
    )
    up_to_min: float | None = Field(description="Upper bound (included), minutes; null without bound.")
    people: float


class EquityOut(ResponseModel):
    """Equity of access over the population."""

    gini: float | None = Field(description="Gini index of accessible supply, 0 to 1; null without supply.")
    worst_tenth_min: float | None = Field(
        description="Mean minutes of the worst-served tenth; null if some of them reach no site."
    )
    worst_tenth_supply: float | None = Field(
        description="Mean accessible supply of the worst-served tenth of the population."
    )
    lorenz: list[tuple[float, float]] = Field(
        description="Lorenz curve: shares of population (worst served first) and of supply; may be empty."
    )
    by_time: list[TimeClassOut]


class CoverageContextOut(ResponseModel):
    """Question, population data and need weights of a coverage answer."""

    meta: MetaWithMethod
    question: QuestionOut
    people: PeopleOut
    weights: list[WeightOut]


class CoverageAbout(CoverageContextOut):
    """Properties common to all territories of the answer."""

    kind: TerritoryKind
    supply_unit: str = Field(description="In French.")
    uncertainty: UncertaintyOut
    undecided: UndecidedOut
    unlocated: int = Field(description="Suitable sites without coordinates.")
    far_from_road: FarFromRoad
    equity: EquityOut


class CoverageAnswer(CoverageAbout):
    """Coverage of all territories of one kind, by code."""

    territories: list[AccessOut]


class CoverageFeature(Feature[Shape, AccessOut]):
    """Boundary and coverage of a territory."""


class CoverageCollection(CoverageAbout):
    """Coverage of all territories of one kind, as GeoJSON."""

    type: Literal["FeatureCollection"]
    features: list[CoverageFeature]


class GapProperties(ResponseModel):
    """Population of a commune or place beyond the threshold."""

    rank: int = Field(description="1 is the largest gap.")
    commune: str = Field(description="INSEE code.")
    name: str = Field(description="Name of the commune.")
    people: float = Field(description="Population farther than `beyond_min`.")
    minutes: float | None = Field(
        description="Median travel time to the nearest suitable site; null if at least half cannot reach any."
    )
    gap: float = Field(description="Population × need × minutes beyond `beyond_min`.")
    nearest_site_id: str | None = Field(description="Nearest suitable site for the largest share of them.")
    unsuitable_site_id: str | None = Field(
        description="Nearest site within `beyond_min` that does not match the question, if any."
    )
    unsuitable_min: float | None = Field(description="Travel time to it, minutes.")
    missing: list[str] = Field(description="Criteria it does not meet, in French.")
    sentence: str = Field(description="Description of the gap, in French.")


class GapOut(GapProperties):
    """A gap with coordinates; for a commune, those of the place with the largest part of the gap."""

    longitude: float = Field(description="WGS 84 degrees.")
    latitude: float = Field(description="WGS 84 degrees.")


class GapsAbout(CoverageContextOut):
    """Properties common to all gaps of the answer."""

    level: Literal["communes", "places"]


class GapsAnswer(GapsAbout):
    """Gaps, largest first."""

    gaps: list[GapOut]


class GapFeature(Feature[Point, GapProperties]):
    """A gap as a point; for a commune, the place with the largest part of the gap."""


class GapCollection(GapsAbout):
    """Gaps as GeoJSON, largest first."""

    type: Literal["FeatureCollection"]
    features: list[GapFeature]


class IsochroneProperties(ResponseModel):
    """Area within a travel time."""

    minutes: int
    mode: Mode
    direction: Literal["to", "from"] = Field(description="`to`: towards the origin; `from`: away from it.")
    people: float = Field(description="Population within `minutes`.")


class IsochroneFeature(Feature[Shape, IsochroneProperties]):
    """An isochrone."""


class IsochroneCollection(ResponseModel):
    """Isochrones of a point, longest time first; each contains the shorter ones."""

    type: Literal["FeatureCollection"]
    meta: MetaWithMethod
    origin: OriginOut
    people_label: str = Field(description="How the population is located, in French.")
    features: list[IsochroneFeature]
