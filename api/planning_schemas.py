"""Models of siting, scenarios, trend and jobs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.coverage_schemas import QuestionOut, ShareWithin
from api.schemas import Feature, MetaWithMethod, Point, ResponseModel, SnapshotOut
from geo.territory.model import TerritoryKind


class JobAsked(ResponseModel):
    """A job and its URL."""

    id: str
    state: Literal["queued", "running", "done"]
    href: str = Field(description="URL of the job.", examples=["/api/v1/jobs/…"])


class SitedPlace(ResponseModel):
    """Location of a proposed site."""

    name: str
    commune: str | None = Field(description="INSEE code, if the location is a town hall.")
    longitude: float = Field(description="WGS 84 degrees.")
    latitude: float = Field(description="WGS 84 degrees.")
    people_gained: float = Field(description="Additional population within `within_min`.")


class SitedOut(SitedPlace):
    """A proposed site, largest gain first."""

    rank: int = Field(ge=1)
    people_cumulated: float = Field(description="Additional population with all sites up to this rank.")
    minutes_saved: float = Field(
        description="Mean minutes saved over the whole population, up to this rank; times are capped at 120."
    )


class BusStopOut(SitedPlace):
    """A half-day of a mobile tour."""

    half_day: str = Field(examples=["lundi matin"])
    driving_min: float = Field(
        description="Driving time to the stop, and back to base if it ends the day, minutes."
    )


class SitingResult(ResponseModel):
    """Proposed sites, with the optimality gap of the solution."""

    model: Literal["maximal_coverage", "p_median", "set_cover", "tour"]
    label: str = Field(description="Display name of the model, in French.")
    status: Literal["optimal", "time_limit", "heuristic"] = Field(
        description="`optimal`: proven; `time_limit`: stopped before the proof; `heuristic`: no proof."
    )
    method: str = Field(description="Method that found or proved the solution.")
    gap: float | None = Field(description="Relative optimality gap: |bound - objective| / objective.")
    bound: float | None = Field(description="Bound on the objective.")
    objective: float | None = Field(
        description="Population × need (× seconds for `p_median`); number of sites for `set_cover`."
    )
    greedy_objective: float | None = Field(description="Objective of the greedy solution.")
    seconds: float = Field(description="Duration of the search, seconds.")
    note: str = Field(description="French note when fewer sites than requested are proposed; may be empty.")
    within_min: int
    people: float = Field(description="Population counted.")
    served_before: float = Field(description="Population within `within_min` of an existing site.")
    out_of_reach: float = Field(description="Population served by neither existing sites nor candidates.")
    question: QuestionOut
    travel: str = Field(description="Travel time method, in French.")
    people_label: str = Field(description="How the population is located, in French.")
    notice: str | None = Field(description="Warning to display, in French.")
    snapshot: SnapshotOut
    sites: list[SitedOut]
    tour: list[BusStopOut] = Field(description="For the `tour` model only.")


class JobAnswer(ResponseModel):
    """State of a job."""

    id: str
    kind: Literal["siting"]
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    progress: float = Field(ge=0, le=1)
    message: str = Field(description="Current step, or the reason of the failure, in French.")
    asked_at: str = Field(description="ISO 8601.")
    ended_at: str | None = Field(description="ISO 8601.")
    result: SitingResult | None = Field(description="For jobs in state `done` only.")


class Totals(ResponseModel):
    """Summary of the coverage of a territory."""

    people_beyond: float = Field(description="Population farther than `beyond_min`.")
    share_within: list[ShareWithin]
    median_min: float | None = Field(description="Median travel time, minutes.")
    supply: float = Field(description="Accessible supply per 1,000 units of need.")
    gap: float = Field(description="Population × need × minutes beyond `beyond_min`.")


class ChangeFigures(ResponseModel):
    """Effect of a scenario on a population."""

    gaining: float = Field(description="Population newly within `beyond_min`.")
    losing: float = Field(description="Population no longer within `beyond_min`.")
    nearer: float = Field(description="Population whose travel time decreases by at least one minute.")
    farther: float = Field(description="Population whose travel time increases by at least one minute.")
    minutes: float | None = Field(description="Mean change of travel time, minutes; negative is nearer.")


class ChangeSummary(ChangeFigures):
    """Effect of a scenario on the whole territory."""

    before: Totals
    after: Totals


class ChangeOut(ChangeFigures):
    """Effect of a scenario on one territory."""

    kind: TerritoryKind
    code: str
    name: str
    people: float = Field(description="Population counted.")
    supply: float = Field(description="Change of accessible supply.")
    gap: float = Field(description="Change of the gap; negative is an improvement.")


class EditedSite(ResponseModel):
    """A site edited by a scenario."""

    action: Literal["open", "close", "move", "hours"]
    name: str
    commune: str | None


class EditedSiteFeature(Feature[Point | None, EditedSite]):
    """An edited site at its new position; a closed site at its former position."""


class EditedSites(ResponseModel):
    """Edited sites, in the order of the edits."""

    type: Literal["FeatureCollection"]
    features: list[EditedSiteFeature]


class EvaluationAnswer(ResponseModel):
    """Effect of edits on access."""

    meta: MetaWithMethod
    question: QuestionOut
    kind: TerritoryKind
    summary: ChangeSummary
    territories: list[ChangeOut]
    sites: EditedSites


class ScenarioOut(ResponseModel):
    """A saved scenario."""

    id: int
    name: str
    description: str
    edits: list[dict[str, Any]]
    base_version: int = Field(description="Version of the data when the scenario was last saved.")
    created_at: str = Field(description="ISO 8601.")
    updated_at: str = Field(description="ISO 8601.")


class ScenariosAnswer(ResponseModel):
    """Saved scenarios, by name."""

    scenarios: list[ScenarioOut]


class ComparedScenario(ResponseModel):
    """A scenario compared with the current sites."""

    id: int
    name: str
    problem: str | None = Field(
        description="Why the scenario no longer applies to the current data, in French; else null."
    )
    summary: ChangeSummary | None
    territories: list[ChangeOut]


class ComparisonAnswer(ResponseModel):
    """Scenarios compared with the current sites."""

    meta: MetaWithMethod
    question: QuestionOut
    kind: TerritoryKind
    today: Totals
    scenarios: list[ComparedScenario]


class TrendTerritory(Totals):
    """Coverage of one territory in a dated snapshot."""

    code: str
    name: str
    sites: int = Field(description="Suitable sites in the territory, located or not.")


class TrendState(Totals):
    """Coverage of the whole territory in a dated snapshot."""

    name: str = Field(description="Name of the snapshot; « Aujourd'hui » for the current data.")
    day: str = Field(description="Date of the data, YYYY-MM-DD.")
    sites: int = Field(description="Suitable sites in the territory, located or not.")
    territories: list[TrendTerritory] | None = Field(description="Present if `kind` is given.")


class TrendAnswer(ResponseModel):
    """Coverage in dated snapshots, oldest first; the last is the current data."""

    meta: MetaWithMethod
    question: QuestionOut
    kind: TerritoryKind | None
    snapshots: list[TrendState]
