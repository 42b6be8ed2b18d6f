"""Lagrangian relaxation of a siting instance, by deflected subgradients."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from time import perf_counter
from typing import Final

import numpy as np

from geo.coverage.siting.heuristics import exchange_sites
from geo.coverage.siting.instance import PROVEN, Instance, Rows, is_proven

STEPS_MAX: Final = 1_000
_IDLE_STEPS_MAX: Final = 20
"""Steps without a noticeable rise of the bound after which the step size is halved."""
_NOTICEABLE_RISE: Final = 1e-4
"""Share of the gap between bound and value that a rise must exceed to be noticeable."""
_STEP_SIZE_MIN: Final = 1e-4
_DEFLECTION: Final = 0.7
"""Weight of the previous direction. All these parameters were tuned on planar instances; they change
how fast the bound rises, never whether it is valid."""


@dataclass(frozen=True)
class Relaxation:
    """Result of the relaxation.

    Attributes
    ----------
    chosen
        The best choice found.
    bound
        Lower bound on any choice better than `chosen`.
    candidates
        Rows of the candidates that a better choice can contain.
    """

    chosen: Rows
    bound: float
    candidates: Rows


def relax(instance: Instance, chosen: Rows, deadline: float) -> Relaxation:
    """Raise a lower bound by a subgradient method, improving the choice and dropping candidates.

    The constraint "each place is assigned once" is relaxed with a price u per place (Geoffrion,
    1974; Cornuéjols, Fisher and Nemhauser, 1977). For fixed prices the problem separates:

    1. The reduced cost of a candidate is the sum over places of min(0, weight × cost - u).
    2. Bound: the sum of all prices plus the p smallest reduced costs.
    3. Subgradient: for each place, 1 less the number of those p candidates that serve it below its
       price. Prices move along it, deflected by the previous direction to damp zigzags.
    4. Opening a candidate outside the p smallest costs at least the difference to the p-th. If the
       bound plus that exceeds the best value, no better choice contains it and it is dropped.
    5. Each set of p candidates is itself a choice: the best ones are improved by exchanges.

    INVARIANT: prices stay within [0, weight × `without`]; at the upper end the existing sites serve
    the place, so a larger price could not raise the bound.
    """
    p, candidates = instance.p, np.arange(len(instance.cost))
    cost, price_max = instance.cost * instance.weight, instance.without * instance.weight
    value, bound = instance.value(chosen), 0.0
    recent, recent_value = chosen, inf
    # Start between the costs of the nearest and second nearest site: near the optimal prices.
    nearest = np.partition(np.vstack([cost[chosen], price_max]), 1, axis=0)
    price = (nearest[0] + nearest[1]) / 2
    direction, step_size, idle = np.zeros_like(price), 2.0, 0
    for _ in range(STEPS_MAX):
        reduced_cost = np.minimum(cost - price, 0).sum(axis=1)  # 1
        order = np.argsort(reduced_cost, kind="stable")
        taken = order[:p]
        step_bound = float(price.sum() + reduced_cost[taken].sum())  # 2
        idle = 0 if step_bound > bound + _NOTICEABLE_RISE * (value - bound) else idle + 1
        bound = max(bound, step_bound)
        # 5
        new_value = instance.value(candidates[taken])
        if new_value < recent_value:
            recent_value, recent = new_value, candidates[taken]
        if new_value < value or idle == _IDLE_STEPS_MAX:
            recent = exchange_sites(instance, recent, deadline)
            new_value, recent_value = instance.value(recent), inf
        if new_value < value:
            value, chosen = new_value, recent
        # 3
        slope = 1.0 - (cost[taken] < price).sum(axis=0)
        slope[(price >= price_max) & (slope > 0)] = 0
        direction = slope + _DEFLECTION * direction
        length = float(direction @ direction)
        if is_proven(bound, value) or step_size < _STEP_SIZE_MIN or length == 0 or perf_counter() > deadline:
            break
        if idle == _IDLE_STEPS_MAX:
            step_size, idle = step_size / 2, 0
        price = np.clip(price + step_size * (value - step_bound) / length * direction, 0, price_max)
        # 4
        dropped = step_bound + reduced_cost - reduced_cost[order[p - 1]] > value * (1 + PROVEN)
        dropped[taken] = False
        if dropped.any():
            candidates, cost = candidates[~dropped], cost[~dropped]
    return Relaxation(chosen, bound, candidates)
