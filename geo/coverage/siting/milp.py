"""Exact solution of what is left, by the HiGHS solver (`scipy.optimize.milp`)."""

from __future__ import annotations

from math import inf
from time import perf_counter
from typing import Any, Final

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from geo.coverage.siting.instance import Floats, Instance, Rows

_SOLVED: Final = 0
_OUT_OF_TIME: Final = 1
"""Statuses of `scipy.optimize.milp`."""

_SCALED_TO: Final = 1e4
"""The objective is scaled to this sum, because the tolerances of HiGHS are absolute."""


def radius_model(instance: Instance, candidates: Rows, deadline: float) -> tuple[Rows | None, float]:
    """Solve the instance over some candidates with HiGHS, in the radius formulation.

    García, Labbé and Marín (2011). Variables are y[j] = 1 if candidate j is opened, and z[i, k] = 1 if
    no open site serves place i at its k-th distinct cost or less. With costs c[i, 0] < c[i, 1] < …
    below `without`, the cost of place i is c[i, 0] plus the sum over k of z[i, k] times the step
    from c[i, k] to the next cost (the last one to `without`). Constraints:

    1. z[i, 0] ≥ 1 - (sum of y at cost c[i, 0]);
    2. z[i, k] ≥ z[i, k-1] - (sum of y at cost c[i, k]);
    3. at most p candidates are opened.

    The z need not be declared integer: minimised under whole y, they are 0 or 1 by themselves.

    Returns
    -------
    Rows of the instance's candidates to open, None if none was found in time; and a lower bound.
    """
    cost = instance.cost[candidates]
    rows, columns, values, right, steps = [], [], [], [], []
    constant, built = 0.0, 0
    for place in range(cost.shape[1]):
        nearer = np.flatnonzero(cost[:, place] < instance.without[place])
        if not len(nearer):
            constant += instance.weight[place] * instance.without[place]
            continue
        levels, level = np.unique(cost[nearer, place], return_inverse=True)
        constant += instance.weight[place] * levels[0]
        steps.append(np.diff(levels, append=instance.without[place]) * instance.weight[place])
        # Row `here[k]`: z[k] - z[k-1] + (sum of y at level k) ≥ 1 for the first level, else 0.
        here = built + np.arange(len(levels))
        rows += [here, here[1:], built + level]
        columns += [len(candidates) + here, len(candidates) + here[:-1], nearer]
        values += [np.ones(len(levels)), np.full(len(levels) - 1, -1.0), np.ones(len(nearer))]
        right.append(np.arange(len(levels)) == 0)
        built += len(levels)
    # 3, written as -(sum of y) ≥ -p
    rows.append(np.full(len(candidates), built))
    columns.append(np.arange(len(candidates)))
    values.append(np.full(len(candidates), -1.0))
    right.append(np.array([-instance.p]))
    objective = np.concatenate([np.zeros(len(candidates)), *steps])
    scale = max(float(objective.sum()), np.finfo(np.float64).tiny) / _SCALED_TO
    found, least = solve(
        objective / scale,
        LinearConstraint(
            sparse.csr_array(
                (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))),
                shape=(built + 1, len(objective)),
            ),
            lb=np.concatenate(right),
        ),
        integers=len(candidates),
        deadline=deadline,
    )
    return None if found is None else candidates[found], constant + least * scale


def solve(
    objective: Floats,
    constraint: LinearConstraint,
    *,
    integers: int,
    deadline: float,
) -> tuple[Rows | None, float]:
    """Minimise over variables in [0, 1] with HiGHS, the first `integers` of them whole.

    Parameters
    ----------
    deadline
        Time of `perf_counter` when the solver must stop.

    Returns
    -------
    The whole variables that are 1, None if there was no answer in time; and a lower bound, -inf if
    there was none either.

    Raises
    ------
    RuntimeError
        If HiGHS fails for another reason than time.
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
