"""Greedy choice and exchanges of sites: a good answer at once, with a first bound."""

from __future__ import annotations

from time import perf_counter

import numpy as np
from scipy import sparse

from geo.coverage.siting.instance import PROVEN, Instance, Rows


def greedy_choice(instance: Instance) -> tuple[Rows, float]:
    """Choose the candidate with the largest gain, p times, and bound the optimum from the gains left.

    The gain is submodular: a site never adds more to a larger choice. Any p sites therefore gain at
    most the sum of the p largest gains left at any step (Nemhauser, Wolsey and Fisher, 1978).

    Returns
    -------
    Rows of the candidates chosen, and a lower bound on the cost of any choice.
    """
    chosen: list[int] = []
    cost_now, bound = instance.without, 0.0
    while True:
        gain = instance.weight @ cost_now - np.minimum(instance.cost, cost_now) @ instance.weight
        bound = max(bound, float(instance.weight @ cost_now - np.sort(gain)[::-1][: instance.p].sum()))
        best = int(gain.argmax()) if len(gain) else 0
        if len(chosen) == instance.p or gain[best] <= 0:
            return np.array(chosen, dtype=np.intp), bound
        chosen.append(best)
        cost_now = np.minimum(cost_now, instance.cost[best])


def exchange_sites(instance: Instance, chosen: Rows, deadline: float | None) -> Rows:
    """Exchange an open site for a closed one, best exchange first, as long as the cost falls.

    Vertex substitution (Teitz and Bart, 1968), all exchanges valued at once as in the fast
    interchange of Whitaker (1983). Closing `old` and opening `new` changes the cost by

        - saving: places nearer to `new` than to their nearest open site change to it;
        + loss: the places of `old` fall back to their second nearest site;
        - relief: some of these fall back to `new` instead, if it is nearer than the second.

    Parameters
    ----------
    deadline
        Time of `perf_counter` after which no exchange is started; None for no limit.
    """
    value, number = instance.value(chosen), np.arange(len(instance.without))
    while len(chosen) and (deadline is None or perf_counter() < deadline):
        table = np.vstack([instance.cost[chosen], instance.without])
        # The last row of the table stands for the existing sites, which cannot be exchanged.
        nearest, second = np.argsort(table, axis=0, kind="stable")[:2]
        first, fallback = table[nearest, number], table[second, number]
        # Sums weights by nearest open site: one column per site of the choice.
        of_nearest = sparse.csr_array(
            (instance.weight, (number, nearest)), shape=(len(number), len(chosen) + 1)
        )
        saving = np.maximum(first - instance.cost, 0) @ instance.weight
        loss = (fallback - first) @ of_nearest
        relief = np.maximum(fallback - np.maximum(instance.cost, first), 0) @ of_nearest
        change = (loss - relief)[:, :-1] - saving[:, None]
        new, old = np.unravel_index(change.argmin(), change.shape)
        exchanged = chosen.copy()
        exchanged[old] = new
        new_value = instance.value(exchanged)
        # A gain below rounding error would let two equal choices alternate for ever.
        if new_value >= value * (1 - PROVEN):
            break
        value, chosen = new_value, exchanged
    return chosen
