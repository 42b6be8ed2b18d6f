"""The location models: maximal coverage, p-median and set cover."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isfinite
from time import perf_counter
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import LinearConstraint

from geo.coverage.siting.cover import greedy_cover, without_dominated
from geo.coverage.siting.heuristics import exchange_sites, greedy_choice
from geo.coverage.siting.instance import Floats, Instance, Rows, beyond, is_proven, reduce_instance, with_open
from geo.coverage.siting.lagrangian import relax
from geo.coverage.siting.milp import radius_model, solve
from geo.coverage.siting.plan import (
    GREEDY,
    HIGHS,
    LAGRANGIAN,
    NOBODY_TO_GAIN,
    TIME_LIMIT_S,
    Method,
    Plan,
    Problem,
    opening_order,
    relative_gap,
    short_plan_note,
)
from geo.errors import ImpossibleQuestion
from geo.wording.language import french_count

_INTEGER: Final = 1e-6
"""Rounding error that HiGHS may leave on a bound that is a whole number."""


def maximal_coverage(
    times: NDArray[np.float32],
    existing: NDArray[np.float32],
    people: Floats,
    *,
    within_s: float,
    p: int,
    time_limit_s: float = TIME_LIMIT_S,
) -> Plan:
    """Choose at most p candidates that bring most people within a travel time of a site (MCLP).

    The maximal covering location problem of Church and ReVelle (1974).

    Parameters
    ----------
    times
        Seconds from candidates to places, shape (candidates, places); inf where there is no way.
    existing
        Seconds to the nearest existing site, shape (places,); inf where there is none.
    people
        Persons, or persons × need, shape (places,), at least 0.
    within_s
        The threshold, seconds, inclusive.
    p
        Number of sites to open, at most the number of candidates.
    time_limit_s
        Seconds after which the best answer so far is returned, with its bound.

    Raises
    ------
    ImpossibleQuestion
        If there is no candidate, p, the threshold or the time limit is out of range, or people are
        negative or unknown.
    ValueError
        If shapes do not match, or times are negative or NaN.
    """
    return _coverage(times, existing, people, within_s=within_s, p=p, time_limit_s=time_limit_s)


def greedy_coverage(
    times: NDArray[np.float32],
    existing: NDArray[np.float32],
    people: Floats,
    *,
    within_s: float,
    p: int,
) -> Plan:
    """Answer `maximal_coverage` approximately: the greedy choice with exchanges, and a bound.

    Parameters and errors are those of `maximal_coverage`. The status is "optimal" if the bound
    happens to prove it, else "heuristic".
    """
    return _coverage(times, existing, people, within_s=within_s, p=p, time_limit_s=None)


def p_median(
    times: NDArray[np.float32],
    existing: NDArray[np.float32],
    people: Floats,
    *,
    p: int,
    beyond_s: float,
    time_limit_s: float = TIME_LIMIT_S,
) -> Plan:
    """Choose at most p candidates that minimise people × time to the nearest site (p-median).

    The p-median problem of Hakimi (1964), with existing sites and a cap on time.

    Parameters
    ----------
    times, existing, people, p, time_limit_s
        As in `maximal_coverage`.
    beyond_s
        Cap on the time counted, seconds; also counted where no site can be reached.

    Raises
    ------
    ImpossibleQuestion, ValueError
        As in `maximal_coverage`.
    """
    start = perf_counter()
    _check(times, existing, people)
    _check_count(p, len(times))
    _check_seconds(beyond_s, "Le temps maximal compté")
    _check_seconds(time_limit_s, "Le temps de calcul")
    return _plan(
        "p_median",
        np.minimum(times, beyond_s, dtype=np.float64),
        np.minimum(existing, beyond_s, dtype=np.float64),
        people,
        p=p,
        worst=beyond_s,
        start=start,
        time_limit_s=time_limit_s,
    )


def set_cover(
    times: NDArray[np.float32],
    existing: NDArray[np.float32],
    *,
    within_s: float,
    people: Floats | None = None,
    time_limit_s: float = TIME_LIMIT_S,
) -> Plan:
    """Choose the fewest candidates that bring every reachable place within a travel time (LSCP).

    The location set covering problem of Toregas et al. (1971).

    Parameters
    ----------
    times, existing, within_s, time_limit_s
        As in `maximal_coverage`.
    people
        Shape (places,): orders the sites by gain, and excludes places without people. None: every
        place counts as 1.

    Raises
    ------
    ImpossibleQuestion, ValueError
        As in `maximal_coverage`.
    """
    start = perf_counter()
    weight = np.ones(len(existing)) if people is None else people
    _check(times, existing, weight)
    _check_seconds(within_s, "Le seuil de temps")
    _check_seconds(time_limit_s, "Le temps de calcul")
    within, served = times <= within_s, existing <= within_s
    reachable = within.any(axis=0)
    to_serve = ~served & (weight > 0)
    candidates, cover = without_dominated(within[:, to_serve & reachable])
    greedy = greedy_cover(cover)
    # Whatever is left to serve needs at least one site: a proof if the greedy answer has just one.
    chosen, bound = greedy, min(1, len(greedy))
    method: Method = GREEDY
    if bound < len(chosen):
        method = HIGHS
        found, least = solve(
            np.ones(len(candidates)),
            LinearConstraint(sparse.csr_array(cover.T, dtype=np.float64), lb=1),
            integers=len(candidates),
            deadline=start + time_limit_s,
        )
        if found is not None and len(found) < len(chosen):
            chosen = found
        # The number of sites is whole, so a fractional bound can be rounded up.
        bound = min(ceil(max(bound, least - _INTEGER)), len(chosen))
    openings = opening_order(candidates[chosen], beyond(within), beyond(served), weight)
    return Plan(
        question="set_cover",
        chosen=openings,
        objective=len(openings),
        before=float(weight[served].sum()),
        bound=bound,
        gap=relative_gap(len(openings), bound),
        greedy_objective=len(greedy),
        status="optimal" if bound == len(openings) else "time_limit",
        method=method,
        seconds=perf_counter() - start,
        out_of_reach=tuple(np.flatnonzero(to_serve & ~reachable).tolist()),
        note="" if openings else NOBODY_TO_GAIN,
    )


def _coverage(
    times: NDArray[np.float32],
    existing: NDArray[np.float32],
    people: Floats,
    *,
    within_s: float,
    p: int,
    time_limit_s: float | None,
) -> Plan:
    start = perf_counter()
    _check(times, existing, people)
    _check_count(p, len(times))
    _check_seconds(within_s, "Le seuil de temps")
    if time_limit_s is not None:
        _check_seconds(time_limit_s, "Le temps de calcul")
    return _plan(
        "maximal_coverage",
        beyond(times <= within_s),
        beyond(existing <= within_s),
        people,
        p=p,
        worst=1.0,
        start=start,
        time_limit_s=time_limit_s,
    )


def _plan(
    question: Problem,
    cost: Floats,
    without: Floats,
    people: Floats,
    *,
    p: int,
    worst: float,
    start: float,
    time_limit_s: float | None,
) -> Plan:
    """Reduce a problem, solve it, and express the answer in the problem's own terms.

    Parameters
    ----------
    cost, without
        Cost of each place from each candidate, and with the existing sites only.
    worst
        Cost of a place that is not served.
    time_limit_s
        None for the greedy answer only.
    """
    instance = reduce_instance(cost, without, people, p=p)
    answer = _answer(instance, None if time_limit_s is None else start + time_limit_s)
    openings = opening_order(instance.candidates[answer.chosen], cost, without, people)
    before = float(people @ without)
    # Cost of the places that the reduction dropped, which no choice changes.
    elsewhere = before - float(instance.weight @ instance.without)
    after = float(people @ with_open(cost[[each.candidate for each in openings]], without))
    bound = after if answer.proven else min(after, elsewhere + answer.bound)
    greedy = elsewhere + answer.greedy_value
    if question == "maximal_coverage":
        # People beyond the threshold were minimised; the plan counts those newly within it.
        objective, bound, greedy = before - after, before - bound, before - greedy
        before = float(people.sum()) - before
    else:
        objective = after
    return Plan(
        question=question,
        chosen=openings,
        objective=objective,
        before=before,
        bound=bound,
        gap=relative_gap(objective, bound),
        greedy_objective=greedy,
        status="optimal" if answer.proven else "heuristic" if time_limit_s is None else "time_limit",
        method=answer.method,
        seconds=perf_counter() - start,
        out_of_reach=tuple(np.flatnonzero((people > 0) & (with_open(cost, without) >= worst)).tolist()),
        note=short_plan_note(len(openings), p),
    )


@dataclass(frozen=True)
class _Answer:
    """Answer to an instance.

    Attributes
    ----------
    chosen
        Rows of the instance's candidates.
    bound
        Lower bound on the sum of weight × cost of any choice.
    greedy_value
        That sum for the greedy choice with exchanges.
    """

    chosen: Rows
    bound: float
    greedy_value: float
    proven: bool
    method: Method


def _answer(instance: Instance, deadline: float | None) -> _Answer:
    """Solve an instance by the steps of `geo.coverage.siting`, stopping at the first that proves it.

    INVARIANT: `bound` ≤ optimum ≤ value of `chosen` at every step. The bounds of the relaxation and
    of HiGHS hold only for choices better than the one known, hence the minimum with its value.
    """
    greedy, bound = greedy_choice(instance)
    greedy = exchange_sites(instance, greedy, deadline)
    value = instance.value(greedy)
    # A greedy choice that stops early has gained all there is to gain; with p candidates all open.
    if is_proven(bound, value) or len(greedy) < instance.p or instance.p == len(instance.candidates):
        return _Answer(greedy, value, value, proven=True, method=GREEDY)
    if deadline is None:
        return _Answer(greedy, bound, value, proven=False, method=GREEDY)
    relaxed = relax(instance, greedy, deadline)
    chosen = exchange_sites(instance, relaxed.chosen, deadline)
    reached = instance.value(chosen)
    bound = max(bound, min(relaxed.bound, reached))
    if is_proven(bound, reached):
        return _Answer(chosen, bound, value, proven=True, method=LAGRANGIAN)
    found, least = radius_model(instance, relaxed.candidates, deadline)
    if found is not None and instance.value(found) < reached:
        chosen, reached = found, instance.value(found)
    bound = max(bound, min(least, reached))
    method: Method = HIGHS if found is not None or isfinite(least) else LAGRANGIAN
    return _Answer(chosen, bound, value, proven=is_proven(bound, reached), method=method)


def _check(times: NDArray[np.float32], existing: NDArray[np.float32], people: Floats) -> None:
    if times.ndim != 2 or existing.shape != times.shape[1:] or people.shape != existing.shape:
        raise ValueError(f"shapes {times.shape}, {existing.shape} and {people.shape} do not fit")
    if not ((times >= 0).all() and (existing >= 0).all()):
        raise ValueError("times must be at least 0, and not NaN")
    if not len(times):
        raise ImpossibleQuestion(
            "Aucun lieu candidat n'est donné.",
            "Choisissez des lieux où un site pourrait ouvrir, par exemple les mairies.",
        )
    wrong = np.flatnonzero(~((people >= 0) & np.isfinite(people)))
    if len(wrong):
        raise ImpossibleQuestion(
            f"Le nombre de personnes du lieu n° {wrong[0] + 1} n'est pas valable : {people[wrong[0]]}"
            f" ({french_count('%(num)s lieu', '%(num)s lieux', len(wrong))} sur {len(people)}).",
            "Donnez des nombres positifs ou nuls : vérifiez la population et le poids de besoin.",
        )


def _check_count(p: int, candidates: int) -> None:
    if not 1 <= p <= candidates:
        raise ImpossibleQuestion(
            f"On ne peut pas ouvrir {p} sites parmi {candidates} candidats.",
            f"Demandez de 1 à {candidates} ouvertures, ou donnez d'autres candidats.",
        )


def _check_seconds(seconds: float, what: str) -> None:
    if not (isfinite(seconds) and seconds > 0):
        raise ImpossibleQuestion(
            f"{what} n'est pas valable : {seconds} s.", "Donnez un nombre de secondes supérieur à 0."
        )
