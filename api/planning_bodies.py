"""Request bodies of siting and scenarios."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator

from api.body_context import body_context
from api.coverage_question import QUESTION
from api.parameters import choice
from api.problems import Refused
from api.request_model import (
    CommuneCode,
    Expected,
    Minutes,
    RequestModel,
    Text200,
    expectation,
    member_problems,
    one_of,
    sentence,
)
from geo.coverage.scenario import EDITS_MAX, Edit, parse_edits
from geo.coverage.where_next import CANDIDATES_MAX, Candidate, Model
from geo.crs import area_of_use
from geo.errors import InvalidScenario
from geo.services.scenarios import DESCRIPTION_MAX
from geo.services.siting import HALF_DAYS, SITES_MAX, TIME_LIMIT_MAX_S
from geo.territory.model import TerritoryKind

TOWN_HALLS: Final = "town_halls"

TerritoryKindChoice = Annotated[TerritoryKind, one_of(TerritoryKind)]


def _question(given: dict[str, Any]) -> dict[str, Any]:
    """Read a question as the query string of `/coverage` is read."""
    try:
        return QUESTION.read_object(given)
    except Refused as refused:
        problems = member_problems((each.parameter, each.value, each.detail) for each in refused.errors)
        assert problems is not None  # noqa: S101 - a refusal has at least one error
        raise problems from None


def _edits(given: object) -> tuple[Edit, ...]:
    try:
        return parse_edits(given, body_context().snapshot)
    except InvalidScenario as problem:
        raise sentence(str(problem)) from None


def _half_days(given: object) -> tuple[str, ...]:
    read = choice("", "", HALF_DAYS).read
    try:
        days = {read(str(each)) for each in (given if isinstance(given, list | tuple) else [given])}
    except ValueError as refusal:
        raise expectation(str(refusal)) from None
    return tuple(sorted(days, key=HALF_DAYS.index))


def _own_points(given: object) -> object:
    if given == TOWN_HALLS:
        return None
    if not isinstance(given, list) or not given:
        raise sentence(f"« candidates » doit être « {TOWN_HALLS} » ou une liste de points non vide.")
    return given


def _or_town_halls(schema: dict[str, Any]) -> None:
    """Document `candidates` as a list or the word that stands for all town halls."""
    points = next(each for each in schema.pop("anyOf") if each.get("type") == "array")
    schema["anyOf"] = [{"type": "string", "const": TOWN_HALLS}, points]
    schema["default"] = TOWN_HALLS


QuestionValues = Annotated[dict[str, Any], AfterValidator(_question)]
Edits = Annotated[
    tuple[Edit, ...],
    PlainValidator(_edits),
    WithJsonSchema({"type": "array", "items": {"type": "object"}, "maxItems": EDITS_MAX}),
    Expected("une liste de modifications"),
]
HalfDays = Annotated[
    tuple[str, ...],
    PlainValidator(_half_days),
    WithJsonSchema({"type": "array", "items": {"type": "string", "enum": list(HALF_DAYS)}}),
]


def _degrees(bound: int) -> Expected:
    return Expected(f"un nombre de degrés entre -{bound} et {bound}")


class CandidateBody(RequestModel):
    """A candidate location."""

    name: Annotated[str, Field(max_length=200), Expected("un nom de 1 à 200 caractères")] = Field(
        description="Name."
    )
    longitude: Annotated[float, Field(strict=True, ge=-180, le=180), _degrees(180)] = Field(
        description="WGS 84 degrees."
    )
    latitude: Annotated[float, Field(strict=True, ge=-90, le=90), _degrees(90)] = Field(
        description="WGS 84 degrees."
    )

    @model_validator(mode="after")
    def _near(self) -> CandidateBody:
        if problems := member_problems(self._problems()):
            raise problems
        return self

    def candidate(self) -> Candidate:
        """Return the candidate."""
        return Candidate(" ".join(self.name.split()), self.longitude, self.latitude)

    def _problems(self) -> Iterator[tuple[str, object, str]]:
        x, y = self.longitude, self.latitude
        west, south, east, north = area_of_use(body_context().snapshot.territory.metric_crs)
        if west <= x <= east and south <= y <= north:
            return
        swapped = west <= y <= east and south <= x <= north
        hint = " Longitude et latitude semblent inversées." if swapped else ""
        yield "longitude", f"{x}, {y}", f"Ce point est trop loin du territoire.{hint}"


class SitingBody(RequestModel):
    """A siting question."""

    model: Annotated[Model, one_of(Model), Expected(f"l'une de ces valeurs : {' · '.join(Model)}")] = Field(
        description="Location model to solve."
    )
    p: Annotated[
        int, Field(strict=True, ge=1, le=SITES_MAX), Expected(f"un nombre entier entre 1 et {SITES_MAX}")
    ] = Field(default=3, description="Number of sites to open; ignored by `set_cover` and `tour`.")
    within_min: Minutes = Field(
        default=20, description="Travel time within which people are served, minutes."
    )
    candidates: Annotated[list[CandidateBody] | None, BeforeValidator(_own_points)] = Field(
        default=None,
        max_length=CANDIDATES_MAX,
        description="Candidate locations: all town halls, or up to 1,000 points.",
        json_schema_extra=_or_town_halls,
    )
    question: QuestionValues = Field(default={}, description="Parameters of `/coverage`, by name.")
    time_limit_s: Annotated[
        int,
        Field(strict=True, ge=1, le=TIME_LIMIT_MAX_S),
        Expected(f"un nombre entier entre 1 et {TIME_LIMIT_MAX_S}"),
    ] = Field(default=30, description="Maximum duration of the search, seconds.")
    half_days: HalfDays = Field(
        default=(), description="`tour`: half-days when the bus is available.", examples=[["lundi matin"]]
    )
    base: CommuneCode = Field(default="", description="`tour`: INSEE code of the departure commune.")

    @model_validator(mode="after")
    def _complete_tour(self) -> SitingBody:
        if problems := member_problems(self._tour_problems()):
            raise problems
        return self

    def _tour_problems(self) -> Iterator[tuple[str, object, str]]:
        if self.model is not Model.TOUR:
            return
        if not self.half_days:
            yield "half_days", "", "Il manque « half_days » : les demi-journées où le bus est libre."
        if self.base not in body_context().snapshot.territory.own_codes:
            yield "base", self.base, "« base » doit être le code INSEE d'une commune du territoire."


class EvaluationBody(RequestModel):
    """Edits to evaluate."""

    edits: Edits = Field(description="At most 200 edits; `action` gives the type of each.")
    question: QuestionValues = Field(default={}, description="Parameters of `/coverage`, by name.")
    kind: TerritoryKindChoice = Field(
        default=TerritoryKind.COMMUNE, description="Territory level of changes."
    )


class ScenarioBody(RequestModel):
    """A scenario to save."""

    name: Text200 = Field(description="Unique name.")
    description: Annotated[
        str, Field(max_length=DESCRIPTION_MAX), Expected(f"un texte de {DESCRIPTION_MAX} caractères au plus")
    ] = Field(default="", description="Purpose of the scenario.")
    edits: Edits = Field(description="At most 200 edits; `action` gives the type of each.")

    @property
    def title(self) -> str:
        """The name on one line, with single spaces."""
        return " ".join(self.name.split())
