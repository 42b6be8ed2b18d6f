"""Where the next sites should open: maximal coverage, p-median and set cover, solved exactly.

Candidates and existing sites are known by their travel times to the places where people are; the
existing ones stay. All arrays are seconds, inf where there is no way.

The first two questions are one: choose at most p candidates so that the sum over places of
weight × cost of the best open site is least. For the p-median the cost is the time; for maximal
coverage (Church and ReVelle, 1974) it is 0 within the threshold and 1 beyond it. It is answered in
four steps, each of which leaves a valid answer and a valid bound:

1. Places where nobody can gain and candidates that serve nobody better are dropped, places that
   all candidates serve alike are merged.
2. A greedy choice, improved by exchanges of one site for another (Teitz and Bart, 1968), bounded by
   the marginal gains it leaves: the gain being submodular, no p sites gain more than those p largest.
3. A Lagrangian relaxation by subgradient (Cornuéjols, Fisher and Nemhauser, 1977): it raises the
   bound, improves the answer, and drops candidates that no better answer opens.
4. HiGHS on what is left, in the radius formulation (García, Labbé and Marín, 2011): one variable per
   place and distinct cost, only candidates nearer than the existing sites.

Set cover (Toregas and ReVelle, 1971) is given to HiGHS once dominated places and candidates are gone.

The clock is looked at between steps, and HiGHS may overrun its share by seconds on large models: a
caller that must be able to stop sooner runs these functions in a process it can end. Memory is about
four times `times` in float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf, isfinite
from time import perf_counter
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from geo.errors import ImpossibleQuestion

TIME_LIMIT_S: Final = 30.0
"""Seconds a question may take unless the caller says otherwise."""

Question = Literal["maximal_coverage", "p_median", "set_cover"]
Status = Literal["optimal", "time_limit", "heuristic"]
Method = Literal["greedy", "lagrangian", "highs"]
GREEDY: Final = "greedy"
LAGRANGIAN: Final = "lagrangian"
HIGHS: Final = "highs"

_Floats = NDArray[np.float64]
_Rows = NDArray[np.intp]
_Mask = NDArray[np.bool_]

_PROVEN: Final = 1e-9
"""Relative distance of answer and bound under which they are the same but for rounding."""

_INTEGER: Final = 1e-6
"""How far from a whole number HiGHS may leave a bound on a count."""

_SOLVED: Final = 0
_OUT_OF_TIME: Final = 1
"""Statuses of `scipy.optimize.milp`."""

_SCALED_TO: Final = 1e4
"""Sum of the objective given to HiGHS, whose tolerances are absolute."""

_STEPS: Final = 1_000
_STEPS_WITHOUT_GAIN: Final = 20
_WORTH_A_STEP: Final = 1e-4
_SHORTEST: Final = 1e-4
_DEFLECTION: Final = 0.7
"""How the subgradient goes on: tried on planar worlds, no result depends on them."""

_BLOCK: Final = 1_024

_NOBODY: Final = "Il ne reste personne à gagner : aucun candidat n'améliore la situation."


@dataclass(frozen=True, slots=True)
class PlannedOpening:
    """One candidate of a plan, in the order in which to open them.

    Attributes
    ----------
    candidate
        Row of `times`.
    gained
        What it adds to those before it, in the unit of `Plan`.
    cumulated
        The same, with those before it.
    """

    candidate: int
    gained: float
    cumulated: float


@dataclass(frozen=True, slots=True)
class Plan:
    """The sites to open, in the order of what each adds, and how good the choice is known to be.

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
        The sites, those that add most first; none that adds nothing.
    objective
        What the plan reaches.
    before
        What the existing sites alone reach.
    bound
        No plan does better than this.
    gap
        |bound - objective| / objective, 0 when both are 0.
    greedy_objective
        What the greedy choice with exchanges reaches: the answer known at once.
    status
        "optimal": no plan is better; "time_limit": stopped before that was proven; "heuristic": the
        proof was not asked for, and the bound does not give it.
    method
        What found or proved the answer last.
    seconds
        Time taken.
    out_of_reach
        Places with people (columns of `times`) that neither the existing sites nor any candidate
        serve: beyond the threshold, or beyond the cap.
    note
        One French sentence where the plan is shorter than asked for; else "".
    """

    question: Question
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


def maximal_coverage(
    times: NDArray[np.float32],
    existing: NDArray[np.float32],
    people: _Floats,
    *,
    within_s: float,
    p: int,
    time_limit_s: float = TIME_LIMIT_S,
) -> Plan:
    """Choose at most p candidates so that most people are newly within a time of a site.

    Parameters
    ----------
    times
        Seconds from candidates to places, shape (candidates, places); inf where there is no way.
    existing
        Seconds to the nearest existing site, shape (places,); inf where there is none.
    people
        Persons, or persons × need, shape (places,), at least 0.
    within_s
        The threshold, seconds; a place exactly at it is within.
    p
        How many sites to open, at most the number of candidates.
    time_limit_s
        Seconds after which the best answer so far is given, with its bound.

    Raises
    ------
    ImpossibleQuestion
        No candidate; p, the threshold or the limit out of range; negative or unknown people.
    ValueError
        Shapes that do not fit; times that are negative or NaN.
    """
    return _coverage(times, existing, people, within_s=within_s, p=p, time_limit_s=time_limit_s)


def greedy_coverage(
    times: NDArray[np.float32],
    existing: NDArray[np.float32],
    people: _Floats,
    *,
    within_s: float,
    p: int,
) -> Plan:
    """Answer `maximal_coverage` at once: the greedy choice with exchanges, and a bound.

    Parameters and errors are those of `maximal_coverage`. The status is "optimal" when the bound
    happens to prove it, else "heuristic".
    """
    return _coverage(times, existing, people, within_s=within_s, p=p, time_limit_s=None)


def p_median(
    times: NDArray[np.float32],
    existing: NDArray[np.float32],
    people: _Floats,
    *,
    p: int,
    beyond_s: float,
    time_limit_s: float = TIME_LIMIT_S,
) -> Plan:
    """Choose at most p candidates so that people × time to their nearest site is least.

    Parameters
    ----------
    times, existing, people, p, time_limit_s
        As in `maximal_coverage`.
    beyond_s
        The longest time counted, seconds: where no site is nearer, people count for this much.

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
    people: _Floats | None = None,
    time_limit_s: float = TIME_LIMIT_S,
) -> Plan:
    """Choose the fewest candidates so that every place that can be is within a time of a site.

    Parameters
    ----------
    times, existing, within_s, time_limit_s
        As in `maximal_coverage`.
    people
        Shape (places,): ranks the sites, and leaves out the places with nobody. Without it, every
        place counts for one.

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
    candidates, cover = _without_dominated(within[:, to_serve & reachable])
    greedy = _greedy_cover(cover)
    chosen, bound = greedy, min(1, len(greedy))
    method: Method = GREEDY
    if bound < len(chosen):
        method = HIGHS
        found, least = _solved(
            np.ones(len(candidates)),
            LinearConstraint(sparse.csr_array(cover.T, dtype=np.float64), lb=1),
            integers=len(candidates),
            deadline=start + time_limit_s,
        )
        if found is not None and len(found) < len(chosen):
            chosen = found
        bound = min(ceil(max(bound, least - _INTEGER)), len(chosen))
    openings = _in_order(candidates[chosen], _beyond(within), _beyond(served), weight)
    return Plan(
        question="set_cover",
        chosen=openings,
        objective=len(openings),
        before=float(weight[served].sum()),
        bound=bound,
        gap=_gap(len(openings), bound),
        greedy_objective=len(greedy),
        status="optimal" if bound == len(openings) else "time_limit",
        method=method,
        seconds=perf_counter() - start,
        out_of_reach=tuple(np.flatnonzero(to_serve & ~reachable).tolist()),
        note="" if openings else _NOBODY,
    )


def _coverage(
    times: NDArray[np.float32],
    existing: NDArray[np.float32],
    people: _Floats,
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
        _beyond(times <= within_s),
        _beyond(existing <= within_s),
        people,
        p=p,
        worst=1.0,
        start=start,
        time_limit_s=time_limit_s,
    )


def _plan(
    question: Question,
    cost: _Floats,
    without: _Floats,
    people: _Floats,
    *,
    p: int,
    worst: float,
    start: float,
    time_limit_s: float | None,
) -> Plan:
    """Reduce the question, answer it, and tell the answer in its own terms.

    `time_limit_s` is None when the greedy answer is all that is asked for; `worst` is the cost of
    a place that is not served.
    """
    world = _reduced(cost, without, people, p=p)
    answer = _answer(world, None if time_limit_s is None else start + time_limit_s)
    openings = _in_order(world.candidates[answer.chosen], cost, without, people)
    before = float(people @ without)
    elsewhere = before - float(world.weight @ world.without)
    after = float(people @ _with(cost[[each.candidate for each in openings]], without))
    least = after if answer.proven else min(after, elsewhere + answer.bound)
    greedy = elsewhere + answer.greedy
    if question == "maximal_coverage":
        objective, bound, greedy = before - after, before - least, before - greedy
        before = float(people.sum()) - before
    else:
        objective, bound = after, least
    return Plan(
        question=question,
        chosen=openings,
        objective=objective,
        before=before,
        bound=bound,
        gap=_gap(objective, bound),
        greedy_objective=greedy,
        status="optimal" if answer.proven else "heuristic" if time_limit_s is None else "time_limit",
        method=answer.method,
        seconds=perf_counter() - start,
        out_of_reach=tuple(np.flatnonzero((people > 0) & (_with(cost, without) >= worst)).tolist()),
        note=_shortened(len(openings), p),
    )


@dataclass(frozen=True)
class _World:
    """What is left of a question: candidates that serve someone better, places they serve.

    `candidates` are rows of the question's own table; `cost` has shape (candidates, places),
    `without` (the cost of existing sites) and `weight` shape (places,); p < candidates, or else
    all candidates are to be opened.
    """

    candidates: _Rows
    cost: _Floats
    without: _Floats
    weight: _Floats
    p: int

    def value(self, chosen: _Rows) -> float:
        """Weight × cost, summed, with these open."""
        return float(self.weight @ _with(self.cost[chosen], self.without))


@dataclass(frozen=True)
class _Answer:
    """Rows of a world to open; a sum of weight × cost no choice goes below; the greedy one's own."""

    chosen: _Rows
    bound: float
    greedy: float
    proven: bool
    method: Method


def _reduced(cost: _Floats, without: _Floats, people: _Floats, *, p: int) -> _World:
    useful = (cost < without) & (people > 0)
    places = useful.any(axis=0)
    cost, without, people, useful = cost[:, places], without[places], people[places], useful[:, places]
    cost = np.minimum(cost, without)
    _, first, same = np.unique(np.vstack([cost, without]).T, axis=0, return_index=True, return_inverse=True)
    cost, without, useful = cost[:, first], without[first], useful[:, first]
    candidates = np.flatnonzero(useful.any(axis=1))
    return _World(
        candidates=candidates,
        cost=cost[candidates],
        without=without,
        weight=np.bincount(same, weights=people, minlength=len(first)).astype(np.float64),
        p=min(p, len(candidates)),
    )


def _answer(world: _World, deadline: float | None) -> _Answer:
    greedy, bound = _greedy(world)
    greedy = _exchanged(world, greedy, deadline)
    value = world.value(greedy)
    if _meets(bound, value) or len(greedy) < world.p or world.p == len(world.candidates):
        return _Answer(greedy, value, value, proven=True, method=GREEDY)
    if deadline is None:
        return _Answer(greedy, bound, value, proven=False, method=GREEDY)
    relaxed = _relaxed(world, greedy, deadline)
    chosen = _exchanged(world, relaxed.chosen, deadline)
    reached = world.value(chosen)
    bound = max(bound, min(relaxed.bound, reached))
    if _meets(bound, reached):
        return _Answer(chosen, bound, value, proven=True, method=LAGRANGIAN)
    found, least = _radius(world, relaxed.kept, deadline)
    if found is not None and world.value(found) < reached:
        chosen, reached = found, world.value(found)
    bound = max(bound, min(least, reached))
    method: Method = HIGHS if found is not None or isfinite(least) else LAGRANGIAN
    return _Answer(chosen, bound, value, proven=_meets(bound, reached), method=method)


def _greedy(world: _World) -> tuple[_Rows, float]:
    """The candidate that saves most, p times over, and a bound from the gains left at each step."""
    chosen: list[int] = []
    now, bound = world.without, 0.0
    while True:
        saved = world.weight @ now - np.minimum(world.cost, now) @ world.weight
        bound = max(bound, float(world.weight @ now - np.sort(saved)[::-1][: world.p].sum()))
        best = int(saved.argmax()) if len(saved) else 0
        if len(chosen) == world.p or saved[best] <= 0:
            return np.array(chosen, dtype=np.intp), bound
        chosen.append(best)
        now = np.minimum(now, world.cost[best])


def _exchanged(world: _World, chosen: _Rows, deadline: float | None) -> _Rows:
    """Exchange one open site for a closed one, the best exchange first, while that helps.

    All exchanges are valued at once (Whitaker, 1983): what the new site saves, what the old one's
    places lose when they go to their second nearest, and what the new one spares them of it.
    """
    value, number = world.value(chosen), np.arange(len(world.without))
    while len(chosen) and (deadline is None or perf_counter() < deadline):
        table = np.vstack([world.cost[chosen], world.without])
        nearest, second = np.argsort(table, axis=0, kind="stable")[:2]
        first, then = table[nearest, number], table[second, number]
        of_nearest = sparse.csr_array((world.weight, (number, nearest)), shape=(len(number), len(chosen) + 1))
        saved = np.maximum(first - world.cost, 0) @ world.weight
        lost = (then - first) @ of_nearest
        spared = np.maximum(then - np.maximum(world.cost, first), 0) @ of_nearest
        change = (lost - spared)[:, :-1] - saved[:, None]
        new, old = np.unravel_index(change.argmin(), change.shape)
        exchanged = chosen.copy()
        exchanged[old] = new
        met = world.value(exchanged)
        if met >= value * (1 - _PROVEN):
            break
        value, chosen = met, exchanged
    return chosen


@dataclass(frozen=True)
class _Relaxed:
    """The best choice met, a bound, and the candidates any better choice is made of."""

    chosen: _Rows
    bound: float
    kept: _Rows


def _relaxed(world: _World, chosen: _Rows, deadline: float) -> _Relaxed:
    """Raise the bound by steps on the price each place pays to be served, along deflected subgradients.

    With prices u, a candidate is worth the sum over places of min(0, weight × cost - u): all prices
    and the p least worths are a bound. To open another than those p costs at least the difference
    of its worth and the p-th: once that passes the best value met, the candidate is dropped, and
    the bound holds for the choices that could be better.
    """
    p, kept = world.p, np.arange(len(world.cost))
    cost, dearest = world.cost * world.weight, world.without * world.weight
    value, bound = world.value(chosen), 0.0
    lowest, lately = chosen, inf
    nearest = np.partition(np.vstack([cost[chosen], dearest]), 1, axis=0)
    price = (nearest[0] + nearest[1]) / 2
    direction, step, idle = np.zeros_like(price), 2.0, 0
    for _ in range(_STEPS):
        worth = np.minimum(cost - price, 0).sum(axis=1)
        order = np.argsort(worth, kind="stable")
        taken = order[:p]
        here = float(price.sum() + worth[taken].sum())
        idle = 0 if here > bound + _WORTH_A_STEP * (value - bound) else idle + 1
        bound = max(bound, here)
        met = world.value(kept[taken])
        if met < lately:
            lately, lowest = met, kept[taken]
        if met < value or idle == _STEPS_WITHOUT_GAIN:
            lowest = _exchanged(world, lowest, deadline)
            met, lately = world.value(lowest), inf
        if met < value:
            value, chosen = met, lowest
        slope = 1.0 - (cost[taken] < price).sum(axis=0)
        slope[(price >= dearest) & (slope > 0)] = 0
        direction = slope + _DEFLECTION * direction
        length = float(direction @ direction)
        if _meets(bound, value) or step < _SHORTEST or length == 0 or perf_counter() > deadline:
            break
        if idle == _STEPS_WITHOUT_GAIN:
            step, idle = step / 2, 0
        price = np.clip(price + step * (value - here) / length * direction, 0, dearest)
        dropped = here + worth - worth[order[p - 1]] > value * (1 + _PROVEN)
        dropped[taken] = False
        if dropped.any():
            kept, cost = kept[~dropped], cost[~dropped]
    return _Relaxed(chosen, bound, kept)


def _radius(world: _World, kept: _Rows, deadline: float) -> tuple[_Rows | None, float]:
    """The best choice of some candidates, by HiGHS; and its bound.

    A variable per place and distinct cost below `without` says that no open site is that near:
    at least the one before it, less the sites at this very cost; at least 1 less the nearest ones.
    """
    cost = world.cost[kept]
    rows, columns, values, right, extra = [], [], [], [], []
    constant, made = 0.0, 0
    for place in range(cost.shape[1]):
        nearer = np.flatnonzero(cost[:, place] < world.without[place])
        if not len(nearer):
            constant += world.weight[place] * world.without[place]
            continue
        levels, level = np.unique(cost[nearer, place], return_inverse=True)
        constant += world.weight[place] * levels[0]
        extra.append(np.diff(levels, append=world.without[place]) * world.weight[place])
        here = made + np.arange(len(levels))
        rows += [here, here[1:], made + level]
        columns += [len(kept) + here, len(kept) + here[:-1], nearer]
        values += [np.ones(len(levels)), np.full(len(levels) - 1, -1.0), np.ones(len(nearer))]
        right.append(np.arange(len(levels)) == 0)
        made += len(levels)
    rows.append(np.full(len(kept), made))
    columns.append(np.arange(len(kept)))
    values.append(np.full(len(kept), -1.0))
    right.append(np.array([-world.p]))
    objective = np.concatenate([np.zeros(len(kept)), *extra])
    scale = max(float(objective.sum()), np.finfo(np.float64).tiny) / _SCALED_TO
    found, least = _solved(
        objective / scale,
        LinearConstraint(
            sparse.csr_array(
                (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))),
                shape=(made + 1, len(objective)),
            ),
            lb=np.concatenate(right),
        ),
        integers=len(kept),
        deadline=deadline,
    )
    return None if found is None else kept[found], constant + least * scale


def _solved(
    objective: _Floats,
    constraint: LinearConstraint,
    *,
    integers: int,
    deadline: float,
) -> tuple[_Rows | None, float]:
    """Minimise with HiGHS, the first `integers` variables being whole: those at 1, and the bound.

    The variables are None when the time ran out before any answer; the bound is then -inf at worst.
    """
    left = deadline - perf_counter()
    if left <= 0:
        return None, -inf
    result: Any = milp(
        objective,
        integrality=np.arange(len(objective)) < integers,
        bounds=Bounds(0, 1),
        constraints=constraint,
        options={"time_limit": left, "mip_rel_gap": 0},
    )
    if result.status not in (_SOLVED, _OUT_OF_TIME):
        raise RuntimeError(result.message)
    found = None if result.x is None else np.flatnonzero(result.x[:integers] > 0.5)
    if result.status == _SOLVED:
        return found, float(result.fun)
    return found, -inf if result.mip_dual_bound is None else float(result.mip_dual_bound)


def _without_dominated(cover: _Mask) -> tuple[_Rows, _Mask]:
    """A set cover without what does not change its answer, shape (candidates, places).

    A candidate goes when another serves all it serves; a place, when whoever serves another place
    serves it as well; again, until nothing goes.
    """
    candidates = np.arange(len(cover))
    while True:
        size = cover.shape
        cover = np.unique(cover, axis=1)
        cover = cover[:, ~_contained(~cover.T)]
        kept = ~_contained(cover) & cover.any(axis=1)
        candidates, cover = candidates[kept], cover[kept]
        if cover.shape == size:
            return candidates, cover


def _contained(sets: _Mask) -> _Mask:
    """Which rows are a part of another row; of equal rows, all but the first."""
    table = sets.astype(np.float32)
    size = table.sum(axis=1)
    number = np.arange(len(sets))
    contained = np.zeros(len(sets), dtype=bool)
    for start in range(0, len(sets), _BLOCK):
        block = slice(start, start + _BLOCK)
        part = table[block] @ table.T == size[block, None]
        other = (size > size[block, None]) | (number < number[block, None])
        contained[block] = (part & other).any(axis=1)
    return contained


def _greedy_cover(cover: _Mask) -> _Rows:
    """The candidate that serves most places not served yet, until all are."""
    chosen = []
    left = np.ones(cover.shape[1], dtype=bool)
    while left.any():
        chosen.append(int(cover[:, left].sum(axis=1).argmax()))
        left &= ~cover[chosen[-1]]
    return np.array(chosen, dtype=np.intp)


def _in_order(
    candidates: _Rows, cost: _Floats, without: _Floats, weight: _Floats
) -> tuple[PlannedOpening, ...]:
    """The candidates by what each adds to those before it, as long as it adds something."""
    openings: list[PlannedOpening] = []
    left, now, cumulated = sorted(candidates.tolist()), without, 0.0
    while left:
        gains = (now - np.minimum(now, cost[left])) @ weight
        best = int(gains.argmax())
        if gains[best] <= 0:
            break
        cumulated += float(gains[best])
        openings.append(PlannedOpening(left[best], float(gains[best]), cumulated))
        now = np.minimum(now, cost[left.pop(best)])
    return tuple(openings)


def _with(cost: _Floats, without: _Floats) -> _Floats:
    """The cost of each place once these candidates are open."""
    nearest: _Floats = cost.min(axis=0, initial=inf)
    return np.minimum(without, nearest)


def _beyond(within: _Mask) -> _Floats:
    return np.where(within, 0.0, 1.0)


def _meets(bound: float, value: float) -> bool:
    return bound >= value * (1 - _PROVEN)


def _gap(objective: float, bound: float) -> float:
    if objective == bound:
        return 0.0
    return abs(bound - objective) / objective if objective else inf


def _shortened(chosen: int, p: int) -> str:
    if chosen == 0:
        return _NOBODY
    if chosen < p:
        enough = "1 ouverture suffit" if chosen == 1 else f"{chosen} ouvertures suffisent"
        return f"{enough} : une de plus n'apporterait rien."
    return ""


def _check(times: NDArray[np.float32], existing: NDArray[np.float32], people: _Floats) -> None:
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
            f" ({len(wrong)} lieu{'x' if len(wrong) > 1 else ''} sur {len(people)}).",
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
