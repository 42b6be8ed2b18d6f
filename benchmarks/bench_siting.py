"""Where to open next among 319 communes: Portée against spopt, both solved by HiGHS.

Three planar worlds with populations as skewed as those of communes; the same tables for both, in
turn, in one process. The time of the peer is that of building its model and solving it, its
results unread; its optimum is read from its variables and must equal ours. Target: maximal coverage
at most 1 s, and no slower than the peer. spopt hands its models to HiGHS by way of `highspy`, which
Portée does not install:

    pip install --no-deps --target /tmp/highs highspy
    PYTHONPATH=/tmp/highs python -m benchmarks.bench_siting

Without it, only Portée is measured. The peer's p-median takes minutes: it is asked for once, with
`--peer-median`.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.coverage.siting import Plan, greedy_coverage, maximal_coverage, p_median, set_cover

WITHIN_S = 900
CAP_S = 7_200


def world(
    communes: int, places: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
    """Communes on 80 km × 80 km, and the places where people are: themselves when as many.

    Returns
    -------
    Times of shape (communes, places), no existing site, and people.
    """
    random = np.random.default_rng(seed)
    xy = random.uniform(0, 80_000, (communes, 2))
    at = xy if places == communes else random.uniform(0, 80_000, (places, 2))
    metres = np.hypot(*(xy[:, None] - at[None]).transpose(2, 0, 1)) * 1.3
    people = np.round(random.lognormal(6.2, 1.1, places))
    return (metres / 14).astype(np.float32), np.full(places, np.inf, dtype=np.float32), people


def solved(model: Any, limit_s: float) -> list[int]:
    """Solve a model of spopt with HiGHS: the candidates it opens."""
    import pulp  # noqa: PLC0415 - a peer's, absent from an installation

    model.solve(pulp.HiGHS(msg=False, timeLimit=limit_s, gapRel=0), results=False)
    return [j for j, variable in enumerate(model.fac_vars) if variable.value() > 0.5]


def timed(ask: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    answer = ask()
    return time.perf_counter() - start, answer


def tell(name: str, seed: int, plan: Plan, peer: tuple[float, float] | None) -> None:
    against = f"{peer[0]:8.2f} {plan.seconds / peer[0]:7.2f}" if peer else f"{'–':>8} {'–':>7}"
    print(
        f"  {name:<32} {seed:>4} {plan.seconds:8.3f} {against} {plan.gap:9.2%}  {plan.status:<10} "
        f"{plan.method:<10} {plan.objective:>15,.0f} {plan.greedy_objective:>15,.0f}",
        flush=True,
    )
    if peer and plan.status == "optimal":
        np.testing.assert_allclose(peer[1], plan.objective, rtol=1e-9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--communes", type=int, default=319)
    parser.add_argument("--cells", type=int, default=5_400)
    parser.add_argument("--p", type=int, default=10)
    parser.add_argument("--limit", type=float, default=10, help="seconds for each question")
    parser.add_argument("--worlds", type=int, default=3)
    parser.add_argument("--peer-median", action="store_true")
    asked = parser.parse_args()
    warnings.simplefilter("ignore", DeprecationWarning)  # spopt's, about its modeller

    peer = find_spec("highspy") is not None and find_spec("spopt") is not None
    print(f"{asked.communes} candidates, p={asked.p}, within {WITHIN_S} s, limit {asked.limit:.0f} s")
    print(
        f"  {'question':<32} {'seed':>4} {'seconds':>8} {'spopt':>8} {'ratio':>7} {'gap':>9}  {'status':<10} "
        f"{'method':<10} {'objective':>15} {'greedy':>15}"
    )
    for seed in range(1, asked.worlds + 1):
        communes = world(asked.communes, asked.communes, seed)
        times, _, people = communes
        size = f"{asked.communes} × {asked.communes}"
        theirs = peers(times, people, asked.p, median=asked.peer_median) if peer else {}
        answers = {
            "maximal coverage": maximal_coverage(
                *communes, within_s=WITHIN_S, p=asked.p, time_limit_s=asked.limit
            ),
            "p-median": p_median(*communes, p=asked.p, beyond_s=CAP_S, time_limit_s=asked.limit),
            "set cover": set_cover(*communes[:2], within_s=WITHIN_S, time_limit_s=asked.limit),
        }
        for name, plan in answers.items():
            tell(f"{name} {size}", seed, plan, theirs.get(name))
        tell(f"greedy coverage {size}", seed, greedy_coverage(*communes, within_s=WITHIN_S, p=asked.p), None)
    cells = world(asked.communes, asked.cells, 1)
    size = f"{asked.communes} × {asked.cells}"
    tell(
        f"maximal coverage {size}",
        1,
        maximal_coverage(*cells, within_s=WITHIN_S, p=asked.p, time_limit_s=asked.limit),
        None,
    )
    tell(f"p-median {size}", 1, p_median(*cells, p=asked.p, beyond_s=CAP_S, time_limit_s=asked.limit), None)
    tell(f"set cover {size}", 1, set_cover(*cells[:2], within_s=WITHIN_S, time_limit_s=asked.limit), None)


def peers(
    times: NDArray[np.float32], people: NDArray[np.float64], p: int, *, median: bool
) -> dict[str, tuple[float, float]]:
    """Seconds and objective of spopt for each question."""
    from spopt.locate import LSCP, MCLP, PMedian  # noqa: PLC0415 - a peer's, absent from an installation

    cost = times.T.astype(np.float64)
    found = {}
    seconds, opened = timed(lambda: solved(MCLP.from_cost_matrix(cost, people, WITHIN_S, p), 600))
    found["maximal coverage"] = seconds, float(people[(times[opened] <= WITHIN_S).any(axis=0)].sum())
    seconds, opened = timed(lambda: solved(LSCP.from_cost_matrix(cost, WITHIN_S), 600))
    found["set cover"] = seconds, float(len(opened))
    if median:
        capped = np.minimum(cost, CAP_S)
        seconds, opened = timed(lambda: solved(PMedian.from_cost_matrix(capped, people, p), 600))
        found["p-median"] = seconds, float(people @ capped[:, opened].min(axis=1))
    return found


if __name__ == "__main__":
    main()
