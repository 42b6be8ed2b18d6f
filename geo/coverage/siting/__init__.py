"""Where the next sites should open: maximal coverage, p-median and set cover, solved exactly.

Candidates and existing sites are given by their travel times to the places where people live; existing
sites stay open. All arrays are seconds, inf where there is no way.

The first two problems are one: choose at most p candidates that minimise the sum over places of
weight × cost of the best open site. For the p-median the cost is the time; for maximal coverage
(Church and ReVelle, 1974) it is 0 within the threshold and 1 beyond it. It is solved in four steps,
each of which leaves a feasible answer and a valid bound:

1. `instance`: drop places where nobody can gain and candidates that serve nobody better, merge places
   that all candidates serve alike.
2. `heuristics`: a greedy choice improved by exchanging sites (Teitz and Bart, 1968). The gain is
   submodular, so no p sites gain more than the p largest marginal gains left at any step.
3. `lagrangian`: a relaxation by subgradient (Cornuéjols, Fisher and Nemhauser, 1977). It raises the
   bound, improves the answer, and drops candidates that no better answer opens.
4. `milp`: HiGHS on the rest, in the radius formulation (García, Labbé and Marín, 2011): one variable
   per place and distinct cost, only for candidates nearer than the existing sites.

Set cover (Toregas et al., 1971) is given to HiGHS after dropping dominated places and candidates.

The clock is checked between steps, and HiGHS may overrun its share by seconds on large models: a
caller that must stop earlier runs these functions in a process it can end. Memory is about four times
`times` in float64.
"""

from __future__ import annotations

from geo.coverage.siting.models import greedy_coverage, maximal_coverage, p_median, set_cover
from geo.coverage.siting.plan import TIME_LIMIT_S, Plan, PlannedOpening

__all__ = [
    "TIME_LIMIT_S",
    "Plan",
    "PlannedOpening",
    "greedy_coverage",
    "maximal_coverage",
    "p_median",
    "set_cover",
]
