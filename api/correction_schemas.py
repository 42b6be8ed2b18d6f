"""Response models of the routes of corrections."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.schemas import ResponseModel
from geo.sites.corrections import State


class CorrectionOut(ResponseModel):
    """A value set over the sources."""

    id: int
    site_id: str = Field(description="Site that it applies to, after merges.")
    field: str = Field(
        description="Field of the site; `statut` closes it (`ferme`) or takes it out (`retire`)."
    )
    value: Any = Field(description="As in the site; null or empty: not known.")
    day: str = Field(description="First day on which it applies.")
    until: str | None = Field(description="Last day; null: until it is ended.")
    reason: str
    state: State = Field(
        description="`en_vigueur`, `recouverte` (by a later one), `a_venir`, `passee` or `terminee`."
    )
    source_value: Any = Field(description="What the sources said when it was made.")
    source_now: Any = Field(description="What they say now, if the correction is in force.")
    source_changed: bool = Field(description="Whether they changed the field since.")
    ended_at: str | None = Field(description="ISO 8601; null while it stands.")


class CorrectionsAnswer(ResponseModel):
    """Corrections, oldest first."""

    corrections: list[CorrectionOut]
