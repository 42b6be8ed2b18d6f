"""The answer to a siting problem: sites to open, their order, and how good the choice is known to be."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final, Literal

import numpy as np

from geo.coverage.siting.instance import Floats, Rows
from geo.wording.language import french_count

TIME_LIMIT_S: Final = 30.0
"""Default time limit of a question, seconds."""

Problem = Literal["maximal_coverage", "p_median", "set_cover"]
Status = Literal["optimal", "time_limit", "heuristic"]
Method = Literal["greedy", "lagrangian", "highs"]
GREEDY: Final = "greedy"
LAGRANGIAN: Final = "lagrangian"
HIGHS: Final = "highs"

NOBODY_TO_GAIN: Final = "Il ne reste personne à gagner : aucun candidat n'améliore la situation."


@dataclass(frozen=True, slots=True)
class PlannedOpening:
    """One candidate to open.

    Attributes
    ----------
    candidate
        Row of `times`.
    gained
        Gain over the openings before it, in the unit of `Plan`.
    cumulated
        Gain of it and all openings before it.
    """

    candidate: int
    gained: float
    cumulated: float


@dataclass(frozen=True, slots=True)
class Plan:
    """The sites to open, largest gain first, and how good the choice is known to be.

    ================  ===========================  ==============================  ======================
    question          objective                    before                          gained
    ================  ===========================  ==============================  ======================
    maximal_coverage  people newly within (most)   people within already           people
    p_median          people × seconds (least)     the same with existing sites    people × seconds saved
    set_cover         sites opened (fewest)        people or places within already people, else places
    ================  ===========================  ==============================  ======================

    Attributes
    ----------
    chosen
        The sites, largest gain first; sites without gain are left out.
    objective
        Value of the plan.
    before
        Value with the existing sites only.
    bound
        No plan has a better value than this.
    gap
        |bound - objective| / objective, 0 when both are 0.
    greedy_objective
        Value of the greedy choice with exchanges.
    status
        "optimal": no plan is better; "time_limit": stopped before that was proven; "heuristic": no
        proof was requested, and the bound does not give one.
    method
        Last step that improved or proved the answer.
    seconds
        Computing time.
    out_of_reach
        Places with people (columns of `times`) beyond the threshold, or the cap, of all existing
        sites and candidates.
    note
        A French sentence if the plan has fewer sites than requested; else "".
    """

    question: Problem
    chosen: tuple[PlannedOpening, ...]
    objective: float
    before: float
    bound: float
    gap: float
    greedy_objective: float
    status: Status
    method: Method
    seconds: float
    out_of_reach: tuple[int, ...]
    note: str = ""


def opening_order(
    candidates: Rows, cost: Floats, without: Floats, weight: Floats
) -> tuple[PlannedOpening, ...]:
    """Order candidates by the gain over those before them, leaving out those without gain."""
    openings: list[PlannedOpening] = []
    left, cost_now, cumulated = sorted(candidates.tolist()), without, 0.0
    while left:
        gains = (cost_now - np.minimum(cost_now, cost[left])) @ weight
        best = int(gains.argmax())
        if gains[best] <= 0:
            break
        cumulated += float(gains[best])
        openings.append(PlannedOpening(left[best], float(gains[best]), cumulated))
        cost_now = np.minimum(cost_now, cost[left.pop(best)])
    return tuple(openings)


def relative_gap(objective: float, bound: float) -> float:
    """Return |bound - objective| / objective; 0 if they are equal, inf if only the objective is 0."""
    if objective == bound:
        return 0.0
    return abs(bound - objective) / objective if objective else inf


def short_plan_note(chosen: int, p: int) -> str:
    """Return a French sentence if fewer than p sites were chosen; else ""."""
    if chosen == 0:
        return NOBODY_TO_GAIN
    if chosen < p:
        enough = french_count("%(num)s ouverture suffit", "%(num)s ouvertures suffisent", chosen)
        return f"{enough} : une de plus n'apporterait rien."
    return ""
